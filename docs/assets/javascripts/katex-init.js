// KaTeX, a quarter of a megabyte, is fetched where a formula is to be seen.
const katexSource = new URL("../vendor/katex/katex.min.js", document.currentScript.src);
let katexLoaded;
function loadKatex() {
  katexLoaded ??= new Promise((resolve) => {
    const script = document.createElement("script");
    Object.assign(script, { src: katexSource, onload: resolve });
    document.head.append(script);
  });
  return katexLoaded;
}

// Typesets every formula that pymdownx.arithmatex has marked: <span class="arithmatex">\(...\)</span>
// within a line, <div class="arithmatex">\[...\]</div> on lines of its own.
function typesetPage() {
  for (const element of document.querySelectorAll(".arithmatex")) {
    const source = element.textContent.trim();
    try {
      katex.render(source.slice(2, -2), element, { displayMode: source.startsWith("\\[") });
    } catch (error) {
      console.error(`formula not rendered: ${source}: ${error.message}`);
    }
  }
}

// Search results quote a page as it was before, formulas as plain text, words that were found inside
// <mark>. They are typeset within the line, as they appear.
function typesetSearchResults(list) {
  const formula = /\\\((.+?)\\\)|\\\[(.+?)\\\]/gs;
  for (const article of list.querySelectorAll("article")) {
    if (article.innerHTML.search(formula) < 0) continue;
    if (!window.katex) return loadKatex().then(() => typesetSearchResults(list));
    article.innerHTML = article.innerHTML.replace(formula, (all, inline, display) => {
      const plain = document.createElement("span");
      plain.innerHTML = inline ?? display;
      return katex.renderToString(plain.textContent, { throwOnError: false });
    });
  }
}

document.addEventListener("DOMContentLoaded", () => {
  if (document.querySelector(".arithmatex")) loadKatex().then(typesetPage);
  const list = document.querySelector(".md-search-result__list");
  if (list) {
    new MutationObserver(() => typesetSearchResults(list)).observe(list, {
      childList: true,
      subtree: true,
    });
  }
});
