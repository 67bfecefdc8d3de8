"""Training on batches that are changed at random."""

import numpy as np

import minidl as dl


def augmented():
    """Batches of 2,000 digits, with all kinds of transforms in a row."""
    x, y = dl.synthetic_digits(2000, rng=0)
    options = {"image_shape": (28, 28), "rng": 1}
    transforms = [
        dl.RandomAffine(shift=1, rotation=5, zoom=0.1, **options),
        dl.ElasticDistortion(20, 4, **options),
        dl.RandomNoise(0.05, rng=1),
        dl.Mixup(0.2, classes=10, rng=1),
    ]
    return dl.batches(x, y, batch_size=64, rng=0, transform=transforms)


def trained(epochs):
    model = dl.Sequential([dl.Dense(32), dl.ReLU(), dl.Dense(10), dl.Softmax()]).build(
        (784,), rng=0
    )
    metrics = [dl.accuracy, dl.f1_score, dl.top_k_accuracy, dl.roc_auc]
    trainer = dl.Trainer(model, dl.CrossEntropy(), dl.Adam(0.003), metrics=metrics)
    trainer.fit(augmented(), epochs=epochs)
    return trainer


def test_a_network_learns_from_augmented_digits():
    trainer = trained(epochs=10)
    values = trainer.evaluate(*dl.synthetic_digits(1000, rng=2))
    assert values["accuracy"] > 0.85  # 0.92; chance is 0.1
    assert values["f1_score"] > 0.85
    assert values["top_k_accuracy"] > 0.98
    assert values["roc_auc"] > 0.98
    assert trainer.history["loss"][-1] < trainer.history["loss"][0] / 2


def test_two_runs_give_the_same_bits():
    one, other = trained(epochs=1), trained(epochs=1)
    np.testing.assert_array_equal(one.model.params, other.model.params)


def test_every_epoch_sees_other_images():
    batches = augmented()
    first, second = (np.concatenate([x for x, _ in batches]) for _ in range(2))
    assert first.shape == second.shape == (2000, 784)
    assert len(np.unique(np.concatenate([first, second]), axis=0)) == 4000
