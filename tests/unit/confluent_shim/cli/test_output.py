from confluent_shim.cli.output import assignments, columns, one_line, pairs


def test_a_stranger_s_text_does_nothing_to_the_terminal() -> None:
    """Escapes are spelled out and line ends become spaces."""
    assert one_line("a\x1b[2J\nb\t\u202ec\u00e9") == "a\\x1b[2J b \\u202ecé"


def test_columns_are_aligned() -> None:
    """Every column is as wide as its widest cell, and no line ends in blanks."""
    assert list(columns(("A", "LONG"), [("wide", None), (1, {"x": "y"})])) == ["A     LONG", "wide", "1     x=y"]


def test_fields_are_aligned() -> None:
    """The values stand below each other."""
    assert list(pairs({"a": 1, "long": "x", "none": None})) == ["a     1", "long  x", "none"]


def test_a_tree_is_told_as_toml() -> None:
    """Keys that TOML would not take bare are quoted."""
    tree = {"a": {"b.c": "x", "d": None}, "e": 1}
    assert list(assignments(tree)) == ['a."b.c" = "x"', "# a.d is not set", "e = 1"]
