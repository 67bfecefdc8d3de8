"""A run in a file, and a trainer that goes on from it with the same bits.

`saving` says what is kept, `checkpoint_file` writes and reads the file, `saved_run` checks what was
read. `from_checkpoint` makes a trainer of that, and `resumption` lets its next `fit` go on.
"""
