def turns(loop):
    """One item for each turn that another loop had: its outputs are looked up by their place."""
    return lambda context, outer: [
        None for frame in pull(context, f"{loop}-items") if frame["at"][: len(outer["at"])] == outer["at"]
    ]
