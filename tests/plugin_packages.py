"""Distributions as an installer leaves them: a module, and metadata with entry points beside it."""


def install(folder, name, version, module, code, **parts):
    """Put a distribution into `folder`: `parts` are group (without the prefix) → the function, which is also the name."""
    (folder / f"{module}.py").write_text(code, encoding="utf-8")
    info = folder / f"{name.replace('-', '_')}-{version}.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n", encoding="utf-8")
    (info / "top_level.txt").write_text(f"{module}\n", encoding="utf-8")
    (info / "RECORD").write_text(f"{module}.py,,\n", encoding="utf-8")
    prefix = {"sums": "test_sums"}
    lines = [
        f"[rapidvision.{prefix.get(group, group)}]\n{entry} = {module}:{entry.replace('-', '_')}\n"
        for group, entry in parts.items()
    ]
    (info / "entry_points.txt").write_text("\n".join(lines), encoding="utf-8")
