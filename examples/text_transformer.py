"""A small transformer that learns to write from minidl's own documentation, letter by letter.

    Embedding + PositionalEncoding -> blocks of attention and Dense -> scores of the next character

At each place of a text the model says how probable every character is as the next one. The loss is
the mean of -log(probability of the one that came), in nats per character: the logarithm of the
alphabet's size for a model that knows nothing, 0 for one that is always sure and right. The last
tenth of every page is held out. On it the transformer is compared with tables of counts, which see
nothing (uniform, unigram) or one character (bigram).

How to run it:

    python examples/text_transformer.py
    python examples/text_transformer.py --epochs 3 --blocks 1 --prompt "What is a layer? "

What to look at:

- `build_model`: a block has two parts, each with a shortcut around it. Attention moves information
  from place to place; the dense network then works on each place by itself.
- `causal=True`: a place sees itself and what stands before it. Otherwise the model would look up
  the next character instead of predicting it: a loss near 0, and nothing learned.
- loss against val_loss: loss ends far below, because so short a text is partly learned by heart.
  Dropout and weight decay are there to hold that back.
- the table at the end: a bigram knows that u follows q. What is gained beyond it comes from longer
  contexts.
- what it writes: words and markup that it has seen, and sentences that mean nothing.
"""

import argparse
import math
import sys
from pathlib import Path

import numpy as np

import minidl as dl

ROOT = Path(__file__).resolve().parents[1]
LENGTH = 64  # characters that the model sees at once
STRIDE = 16  # from the start of one training sequence to that of the next
HEADS = 4
DROPOUT = 0.1


def read_pages():
    """Return the text of README.md and of each page in docs."""
    paths = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
    return [path.read_text(encoding="utf-8") for path in paths]


def split(pages):
    """Return two texts: the first nine tenths of every page, and the last tenths."""
    cuts = [len(page) * 9 // 10 for page in pages]
    beginnings = [page[:cut] for page, cut in zip(pages, cuts, strict=True)]
    ends = [page[cut:] for page, cut in zip(pages, cuts, strict=True)]
    return "".join(beginnings), "".join(ends)


def sequences(codes, stride):
    """Return inputs (N, LENGTH) and as targets the same stretches, one character further on."""
    stretches = np.lib.stride_tricks.sliding_window_view(codes, LENGTH + 1)[::stride]
    return stretches[:, :-1], stretches[:, 1:]


def build_model(n_characters, width, blocks, seed):
    """Build the network: characters (N, T) to scores (N, T, n_characters)."""
    layers = [
        # as large as the waves of PositionalEncoding, which would drown smaller numbers
        dl.Embedding(n_characters, width, weight_initializer=dl.Normal(std=0.5)),
        dl.PositionalEncoding(),
    ]
    for _ in range(blocks):
        attention = [dl.MultiHeadSelfAttention(HEADS, causal=True)]
        dense = [dl.Dense(4 * width), dl.GELU(approximate=True), dl.Dense(width)]
        for part in (attention, dense):
            body = dl.Sequential([dl.LayerNorm(), *part, dl.Dropout(DROPOUT)])
            layers.append(dl.Residual(body))
    layers += [dl.LayerNorm(), dl.Dense(n_characters)]
    return dl.Sequential(layers).build((LENGTH,), rng=seed)


def train(model, data, held_out, args):
    """Fit with Adam; the learning rate rises in the first tenth of the steps, then falls to 0."""
    steps = args.epochs * math.ceil(len(data[0]) / args.batch_size)

    def learning_rate(step):
        return args.learning_rate * min(10 * (step + 1) / steps, 1 - step / steps)

    trainer = dl.Trainer(
        model,
        dl.CrossEntropy(from_logits=True),
        dl.Adam(learning_rate, weight_decay=0.1),
        callbacks=[dl.ProgressBar()],
        rng=args.seed,
    )
    trainer.fit(*data, epochs=args.epochs, batch_size=args.batch_size, validation_data=held_out)
    return trainer.evaluate(*held_out)["loss"]


def counting_losses(codes, held_out, n_characters):
    """Return the losses of tables of counts, by name, in nats per character.

    Where a pair is rare the bigram leans on the unigram, by as much as suits the held-out text
    best: the choice is made on that text itself, so the bigram is as good as it can be.
    """
    x, y = held_out
    unigram = (np.bincount(codes, minlength=n_characters) + 1) / (len(codes) + n_characters)
    pairs = np.zeros((n_characters, n_characters))
    np.add.at(pairs, (codes[:-1], codes[1:]), 1)
    bigrams = [
        (pairs + k * unigram) / (pairs.sum(axis=1, keepdims=True) + k) for k in 2.0 ** np.arange(10)
    ]
    return {
        f"uniform over {n_characters} characters": math.log(n_characters),
        "unigram": -np.log(unigram[y]).mean(),
        "bigram": min(-np.log(bigram[x, y]).mean() for bigram in bigrams),
    }


def write(model, codes, n, rng):
    """Return `codes` and n more, each drawn from what the model expects after those before it."""
    model = model.detached_copy().build((None,))  # the same, but for texts of any length
    for _ in range(n):
        scores = model.predict(codes[np.newaxis, -LENGTH:])[0, -1].astype(float)
        probabilities = np.exp(scores - scores.max())
        codes = np.append(codes, rng.choice(len(scores), p=probabilities / probabilities.sum()))
    return codes


def parse_arguments(argv):
    """Read the command line; a value that makes no sense ends the program with an explanation."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    add = parser.add_argument
    add("--epochs", type=int, default=12, help="passes over the text (12)")
    add("--batch-size", type=int, default=32, help="sequences in a step (32)")
    add("--learning-rate", type=float, default=0.003, help="the largest length of a step (0.003)")
    add("--width", type=int, default=64, help="numbers that stand for a character (64)")
    add("--blocks", type=int, default=2, help="blocks of attention and dense network (2)")
    add("--prompt", default="A layer ", help='what the written text begins with ("A layer ")')
    add("--write", type=int, default=500, help="characters to write at the end (500)")
    add("--seed", type=int, default=0, help="initial values, order, dropout, writing (0)")
    args = parser.parse_args(argv)
    for name in ("epochs", "batch_size", "width", "blocks"):
        if getattr(args, name) < 1:
            option = "--" + name.replace("_", "-")
            parser.error(f"{option} must be at least 1, got {getattr(args, name)}")
    if args.width % HEADS:
        parser.error(f"--width must be a multiple of the {HEADS} heads, got {args.width}")
    if not 0 < args.learning_rate < math.inf:
        parser.error(f"--learning-rate must be positive and finite, got {args.learning_rate}")
    for name in ("seed", "write"):
        if getattr(args, name) < 0:
            parser.error(f"--{name} must not be negative, got {getattr(args, name)}")
    if not args.prompt:
        parser.error("--prompt must have at least one character")
    return args


def main(argv=None):
    """Train the network, compare it with tables of counts, and let it write."""
    args = parse_arguments(argv)
    text, held_out_text = split(read_pages())
    alphabet = sorted(set(text + held_out_text))
    unknown = sorted(set(args.prompt) - set(alphabet))
    if unknown:
        sys.exit(f"error: --prompt has characters that the text does not have: {unknown}")

    def encode(text):
        return np.array([alphabet.index(character) for character in text])

    codes, held_out = encode(text), sequences(encode(held_out_text), LENGTH)
    print(f"{len(codes):,} characters to learn from, {held_out[0].size:,} held out")
    model = build_model(len(alphabet), args.width, args.blocks, args.seed)
    model.summary()
    loss = train(model, sequences(codes, STRIDE), held_out, args)

    losses = counting_losses(codes, held_out, len(alphabet)) | {"transformer": loss}
    print("held-out text, nats per character:")
    for name, value in losses.items():
        print(f"  {name:28} {value:.3f}")
    written = write(model, encode(args.prompt), args.write, np.random.default_rng(args.seed))
    print("what it writes:\n" + "".join(alphabet[code] for code in written))


if __name__ == "__main__":
    main()
