// Shows which pixels speak for one digit and against another.

import { pixelContributions, ranking } from "./network.js";
import { paintSigned, text } from "./paint.js";

/** Fills a choice of digits; its first entry, with no value, leaves the choice to the network. */
function offer(select, first) {
  select.append(new Option(first, ""));
  for (let digit = 0; digit < 10; digit++) select.append(new Option(digit, digit));
}

export class Explanation {
  /** `parts`: the canvas `why`, the choices `wanted` and `rival`, and the list `sum`. */
  constructor(parts, network, changed) {
    this.network = network;
    Object.assign(this, parts);
    offer(this.wanted, "the answer");
    offer(this.rival, "the likeliest other");
    for (const [select, other] of [[this.wanted, this.rival], [this.rival, this.wanted]]) {
      select.addEventListener("change", () => {
        if (other.value === select.value) other.value = ""; // no digit is compared with itself
        changed();
      });
    }
  }

  /** The digit asked about and the one that it is compared with, two different ones. */
  pair(pass) {
    const ranked = ranking(pass);
    const chosen = (select) => (select.value === "" ? undefined : Number(select.value));
    const c = chosen(this.wanted) ?? ranked.find((digit) => digit !== chosen(this.rival));
    return [c, chosen(this.rival) ?? ranked.find((digit) => digit !== c)];
  }

  show(pass, c, r) {
    const { pixels, biases } = pixelContributions(this.network, pass, c, r);
    paintSigned(this.why, pixels, Math.max(...pixels.map(Math.abs), 1e-9));
    const sum = (values) => values.reduce((total, value) => total + value, 0);
    const [above, below] = [pixels.filter((p) => p > 0), pixels.filter((p) => p < 0)];
    const entries = {
      [`pixels for ${c}`]: sum(above),
      [`pixels for ${r}`]: sum(below),
      biases,
      [`score of ${c} less score of ${r}`]: pass.Z2[c] - pass.Z2[r],
    };
    this.sum.replaceChildren(
      ...Object.entries(entries).flatMap(([name, value]) => {
        const [term, number] = [document.createElement("dt"), document.createElement("dd")];
        term.textContent = name;
        number.textContent = text(value, 2);
        return [term, number];
      }),
    );
  }
}
