// The site's colours, read from its style sheets, so that canvases follow light and dark mode.

/** The colours [red, green, blue] that an element's custom properties hold, one for each name. */
export function readColours(element, names) {
  const style = getComputedStyle(element);
  const bytes = (name) => style.getPropertyValue(name).match(/[0-9a-f]{2}/gi);
  return names.map((name) => bytes(name).map((byte) => parseInt(byte, 16)));
}

/** Calls back when the reader switches between light and dark. */
export function whenSchemeChanges(redraw) {
  new MutationObserver(redraw).observe(document.body, {
    attributeFilter: ["data-md-color-scheme"],
  });
}
