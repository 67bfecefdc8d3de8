"""A live plot in a notebook that really runs."""

import base64

import ipykernel  # noqa: F401 (what runs the notebook; like the others, no reason to skip)
import nbclient
import nbformat

SETUP = """
import minidl as dl, time

x, y = dl.synthetic_digits(200, rng=0)
model = dl.Sequential([dl.Dense(10), dl.Softmax()]).build((784,), rng=0)
slow = dl.Callback()
slow.on_epoch_end = lambda trainer: time.sleep(0.6)
callbacks = [slow, dl.LivePlot(), dl.ProgressBar(enabled=False)]
trainer = dl.Trainer(model, dl.CrossEntropy(), dl.SGD(0.1), callbacks=callbacks, rng=0)
"""


def test_the_figure_below_the_cell_grows():
    cells = [
        nbformat.v4.new_code_cell(SETUP),
        nbformat.v4.new_code_cell("trainer.fit(x, y, epochs=4, validation_split=0.2);"),
        nbformat.v4.new_code_cell("history = trainer.fit(x, y, epochs=1, validation_split=0.2)"),
    ]
    updates = []

    class Client(nbclient.NotebookClient):
        def process_message(self, msg, cell, cell_index):
            updates.append((cell_index, msg["msg_type"]))
            return super().process_message(msg, cell, cell_index)

    notebook = nbformat.v4.new_notebook(cells=cells)
    Client(notebook, timeout=120, kernel_name="python3").execute()
    pictures = []
    for index in (1, 2):
        (output,) = notebook.cells[index].outputs  # one figure a cell, however often it is drawn
        pictures.append(base64.b64decode(output["data"]["image/png"]))
        assert pictures[-1].startswith(b"\x89PNG")
        assert updates.count((index, "display_data")) == 1
    assert updates.count((1, "update_display_data")) >= 2
    assert pictures[0] != pictures[1]
