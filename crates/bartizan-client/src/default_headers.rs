// One layer.
