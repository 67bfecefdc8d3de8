"""Networks and their training as TOML: from a file to objects, with errors that name the key."""
