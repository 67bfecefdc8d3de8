// A series of pictures (docs/pictures/page.py, `frames`) of which one is seen: adds the slider that
// moves through them. Without this script all of them stand below one another.
for (const figure of document.querySelectorAll("figure.frames")) {
  const moments = [...figure.querySelectorAll(".frame")];
  const label = document.createElement("label");
  const slider = document.createElement("input");
  const name = document.createElement("output");
  Object.assign(slider, { type: "range", min: 0, max: moments.length - 1, value: 0 });
  const show = () => {
    moments.forEach((moment, index) => (moment.hidden = index !== Number(slider.value)));
    name.value = moments[slider.value].dataset.label;
    slider.setAttribute("aria-valuetext", name.value);
  };
  slider.setAttribute("aria-label", "Moment");
  name.setAttribute("aria-live", "off"); // the slider says its value itself
  slider.addEventListener("input", show);
  label.className = "moment";
  label.append(slider, name);
  figure.querySelector(".panels").before(label);
  show();
}
