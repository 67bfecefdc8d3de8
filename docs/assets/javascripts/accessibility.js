// What the theme leaves to be done for those who use no mouse, or do not see the page.

// The search dialog has no name of its own.
document.querySelector(".md-search[role='dialog']")?.setAttribute("aria-label", "Search");

// The switch between light and dark: of the theme's two radio buttons the one that is shown gets the
// focus, and Space does what Enter does.
const modeSwitch = document.querySelector(".md-header__option");
modeSwitch?.addEventListener("focusin", ({ target }) => {
  const shown = modeSwitch.querySelector("label:not([hidden])")?.previousElementSibling;
  if (target.matches(".md-option") && shown) shown.focus();
});
modeSwitch?.addEventListener("keydown", (event) => {
  if (event.key !== " ") return;
  event.preventDefault();
  event.target.dispatchEvent(new KeyboardEvent("keydown", { key: "Enter", bubbles: true }));
});

// What scrolls sideways must be reachable by the keyboard, and only while it does scroll.
const observer = new ResizeObserver((entries) => {
  for (const { target } of entries) {
    if (target.scrollWidth > target.clientWidth) target.tabIndex = 0;
    else target.removeAttribute("tabindex");
  }
});
const scrolling = "div.arithmatex, .md-typeset__scrollwrap, .md-typeset pre > code";
for (const element of document.querySelectorAll(scrolling)) observer.observe(element);
