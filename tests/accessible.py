"""What axe-core finds on a page that a person with a screen reader or a keyboard could not use."""


def violations(page, node_modules):
    """Rules of WCAG 2 A and AA that a page breaks, each with its first element; run within the page, which loads nothing."""
    page.evaluate((node_modules / "axe-core" / "axe.min.js").read_text(encoding="utf-8"))
    found = page.evaluate(
        "axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] })"
    )
    return [f"{one['id']}: {one['help']}: {one['nodes'][0]['html'][:120]}" for one in found["violations"]]
