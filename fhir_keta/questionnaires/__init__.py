"""How a form behaves: items, enablement, scoring."""
