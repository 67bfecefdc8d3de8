"""Every number of one training step, written down for pencil and calculator."""

# explain.py checks the arguments. recording.py, with updating.py, makes the step on copies of model
# and optimizer and keeps all arrays (records.py), which get their letters in names.py. step_page.py
# writes the page from its chapters:
#
#     forward, backward   layer_sections.py chooses: dense, entrywise, softmaxes, other_layers
#     the loss            loss_section.py with loss_formulas.py, loss_gradient.py
#     the update          update_section.py with update_rules.py
#
# They build blocks.py (headings, sentences, formulas) of expressions.py, formulas.py and tables.py,
# each of which can be written as Markdown with LaTeX and as HTML with MathML; rounding.py turns
# arrays into tables. explanation.py is what the user gets, web_page.py its HTML file.

from minidl.explaining.explain import explain_step
from minidl.explaining.explanation import StepExplanation

__all__ = ["StepExplanation", "explain_step"]
