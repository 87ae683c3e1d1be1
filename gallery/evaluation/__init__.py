"""How well the gallery finds: its answers measured against ground-truth boxes.

Nothing here imports Django, and nothing in the product may import this package: its queries and
its truth measure the ranking and must not feed it.
"""
