// Says what the page has loaded, with figures of the files themselves.

const kilobytes = (bytes) => `${(bytes / 1000).toFixed(1)} kB`;

function scriptBytes() {
  return performance
    .getEntriesByType("resource")
    .filter(({ name }) => /\/(draw-a-digit\/.*|colours)\.js$/.test(name))
    .reduce((sum, { decodedBodySize }) => sum + decodedBodySize, 0);
}

export function describeFiles(paragraph, file, samples) {
  const { data, test_digits, accuracy, accuracy_float16, largest_change } = file.notes;
  const share = (value) => `${(100 * value).toFixed(2)} %`;
  const count = Number(test_digits).toLocaleString("en");
  paragraph.textContent =
    `The network's file has ${kilobytes(file.bytes)}, the sample digits ` +
    `${kilobytes(samples.bytes)}, the scripts ${kilobytes(scriptBytes())}. ` +
    `The network was trained on ${data} when this site was built. ` +
    `It reads ${share(accuracy)} of ${count} test digits right. With its weights rounded to ` +
    `float16, as they are in the file, it reads ${share(accuracy_float16)} right, and no ` +
    `probability changes by more than ${Number(largest_change).toFixed(4)}.`;
  if (data !== "MNIST") {
    paragraph.append(
      " MNIST was not at hand: these digits are drawn by a program, and handwriting will be read" +
        " worse than by the network that this page is about.",
    );
  }
}
