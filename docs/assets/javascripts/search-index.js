// The theme asks for the search's index, half of a first visit's bytes, on every page. Here it waits
// until the reader turns to the search; a page that the search led to needs it to mark the words.
if (!new URLSearchParams(location.search).has("h")) {
  const wanted = new Promise((resolve) => {
    addEventListener("focusin", ({ target }) => target.matches(".md-search__input") && resolve());
  });
  const { open, send } = XMLHttpRequest.prototype;
  XMLHttpRequest.prototype.open = function (method, url, ...more) {
    open.call(this, method, url, ...more);
    if (url.endsWith("/search/search_index.json")) {
      this.send = () => wanted.then(() => send.call(this));
    }
  };
}
