// "Copy as Python": the minidl program for exactly this run. The engine draws NumPy's own random
// numbers, so that a seed is all the program needs to print the page's losses.

import { DATASETS } from "./engine/datasets.js";
import { initializerFor } from "./engine/network.js";

const decimal = (value) => (Number.isInteger(value) ? `${value}.0` : String(value));

function dataLines({ data, dataSeed, own, points, classes, noise }) {
  const start = [`rng = np.random.default_rng(${dataSeed})`];
  if (data === "own") {
    const rows = own.map(([x1, x2, label]) => `    (${decimal(x1)}, ${decimal(x2)}, ${label}),`);
    return [
      ...start,
      "points = [  # x1, x2, class",
      ...rows,
      "]",
      "x = np.array([[x1, x2] for x1, x2, _ in points])",
      "y = np.array([label for _, _, label in points])",
    ];
  }
  return [
    ...start,
    `n, classes, noise = ${points}, ${classes}, ${noise}`,
    "y = np.arange(n) % classes",
    "u, v, s, t = rng.random((4, n))",
    DATASETS[data].python,
    "away = noise * np.sqrt(-2 * np.log(1 - s))",
    "x = np.stack([x1 + away * np.cos(2 * np.pi * t), x2 + away * np.sin(2 * np.pi * t)], axis=1)",
  ];
}

function modelLines({ units, classes, activation, penalty, strength, seed }) {
  const options = [`weight_initializer=dl.${initializerFor(activation)}()`];
  if (penalty !== "none") options.push(`weight_penalty=dl.${penalty}(${strength})`);
  const dense = (m) => `    dl.Dense(${m}, ${options.join(", ")}),`;
  const hidden = activation === "none" ? [] : [`    dl.${activation}(),`];
  return [
    "model = dl.Sequential([",
    ...units.flatMap((m) => [dense(m), ...hidden]),
    dense(classes),
    "    dl.Softmax(),",
    `]).build((2,), rng=${seed}, dtype=np.float64)`,
  ];
}

const OPTIMIZER_CALLS = {
  SGD: (rate) => `dl.SGD(${rate})`,
  momentum: (rate) => `dl.SGD(${rate}, momentum=0.9)`,
  Adam: (rate) => `dl.Adam(${rate})`,
};

/** The program's text, for a run of `epochs` epochs. */
export function pythonProgram(settings, epochs) {
  const batchSize = settings.batchSize || "len(train)";
  return [
    "import numpy as np",
    "",
    "import minidl as dl",
    "",
    ...dataLines(settings),
    "order = rng.permutation(len(y))",
    "held_out, train = order[: len(y) // 3], order[len(y) // 3 :]",
    "",
    ...modelLines(settings),
    "objective = dl.Objective(model, dl.CrossEntropy())",
    `optimizer = ${OPTIMIZER_CALLS[settings.optimizer](settings.learningRate)}`,
    `batches = dl.batches(x[train], y[train], batch_size=${batchSize}, rng=${settings.seed})`,
    "",
    `epochs = ${epochs}`,
    "for epoch in range(1, epochs + 1):",
    "    for xb, yb in batches:",
    "        _, grads = objective.value_and_grad(xb, yb)",
    "        optimizer.update(model.params, grads)",
    "    if epoch % max(epochs // 10, 1) == 0 or epoch == epochs:",
    "        loss, held_out_loss = (objective.value(x[i], y[i]) for i in (train, held_out))",
    '        print(f"epoch {epoch}: loss {loss:.6f}, held out {held_out_loss:.6f}")',
    "",
    "accuracy = dl.accuracy(y[held_out], model.predict(x[held_out]).argmax(axis=1))",
    'print(f"accuracy on held-out points: {accuracy:.3f}")',
    "",
  ].join("\n");
}
