"""Room for a question in the form of Prefect's classic UI.

There the question is the one part of the form that gives way: with a handful of fields below, nothing is left
of it, and on a phone the form is wider than the window. So the form scrolls as a whole instead.
"""

STYLE = """<style>
  .p-modal__body > .markdown-renderer { flex-shrink: 0 }
  .p-modal__card { min-width: 0 }
</style>"""
