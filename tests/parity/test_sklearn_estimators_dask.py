"""A grid search on a Dask cluster, through joblib's backend of that name."""

import os

import joblib
import numpy as np
import pytest
from distributed import Client, LocalCluster
from sklearn.datasets import load_digits
from sklearn.model_selection import GridSearchCV

from minidl.sklearn import MLPClassifier


def searched():
    """A small search that was run, with the processes that its fits were scored in."""
    x, y = load_digits(n_class=3, return_X_y=True)

    def process(estimator, x, y):  # goes to the workers by value
        return os.getpid()

    mlp = MLPClassifier((8,), max_iter=5, random_state=0)
    search = GridSearchCV(
        mlp,
        {"alpha": [1e-4, 1.0], "dropout": [0.0, 0.5]},
        scoring={"accuracy": "accuracy", "process": process},
        refit=False,
        cv=2,
        error_score="raise",
    )
    return search.fit(x / 16, y).cv_results_


def processes_of(results):
    return {int(results[f"split{fold}_test_process"][i]) for fold in (0, 1) for i in range(4)}


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_grid_search_on_a_local_cluster(tmp_path):
    here = searched()
    assert processes_of(here) == {os.getpid()}
    with (
        LocalCluster(
            n_workers=2,
            threads_per_worker=1,
            dashboard_address=None,
            local_directory=str(tmp_path),
        ) as cluster,
        Client(cluster) as client,
        joblib.parallel_backend("dask", wait_for_workers_timeout=60),
    ):
        there = searched()
        workers = set(client.run(os.getpid).values())
    assert len(workers) == 2
    assert processes_of(there) <= workers
    np.testing.assert_array_equal(there["mean_test_accuracy"], here["mean_test_accuracy"])
