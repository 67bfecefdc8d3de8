// The link and the Python program of a run.

import { pythonProgram } from "./python.js";
import { toHash, TOO_FEW } from "./settings.js";

/**
 * @param {() => {settings: object, run: Run}} current What is on the page now.
 * @param {(message: string) => void} say
 * @returns {() => void} To be called when the run has changed: brings an open program up to date.
 */
export function enableSharing(form, current, say) {
  const [box, code] = [form.querySelector(".program"), form.querySelector("#program")];

  function showProgram() {
    const { settings, run } = current();
    const epochs = Math.max(Math.ceil(run.epoch), 1);
    code.textContent = run.canTrain ? pythonProgram(settings, epochs) : "";
  }

  async function copy(text, what) {
    try {
      await navigator.clipboard.writeText(text);
      say(`${what} is copied.`);
    } catch {
      say("The browser does not let this page copy. Mark the text and copy it yourself.");
    }
  }

  box.addEventListener("toggle", showProgram);
  form.querySelector("#copy-link").addEventListener("click", () => {
    copy(new URL(`#${toHash(form)}`, location).href, "The link");
  });
  form.querySelector("#copy-python").addEventListener("click", () => {
    showProgram();
    box.open = true;
    if (code.textContent) copy(code.textContent, "The program");
    else say(TOO_FEW);
  });
  return () => box.open && showProgram();
}
