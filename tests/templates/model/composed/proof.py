"""Proof for the template `composed`."""

from __future__ import annotations

from pathlib import Path

from proofs import Proof

PROOF = Proof(
    goldens={
        "composed": [
            "MyNet",
            *("--layer=conv:filters=8:kernel_size=3", "--layer=MaxPooling2D"),
            *("--layer=Flatten", "--layer=Dropout:rate=0.2", "--layer=Dense:units=10"),
        ],
        "composed_sequential": [
            "RowNet",
            *("--style=sequential", "--option=data=rows"),
            *("--layer=LSTM:units=32", "--layer=Dense:units=10"),
        ],
        "composed_branches": ["BranchNet", f"--from={Path(__file__).with_name('branches.toml')}"],
        "composed_with_attributes": [
            "TableNet",
            *("--option=data=table", "--layer=dense:units=16:activation=relu"),
            *("--layer=Dense:units=1", "--loss=Huber:delta=2.0", "--metric=mae"),
            *("--optimizer=adamw:weight_decay=0.01", "gain:float=1.0{>0}"),
        ],
    },
    judged={
        'outputs = keras.layers.Dense(units=10, dtype=dtype, name="dense")(x) -> outputs = keras.layers.Dense(units=10, dtype=dtype, )(x)': "Keras gives the first one this name",
        'outputs = keras.layers.Dense(units=10, dtype=dtype, name="dense")(x) -> outputs = keras.layers.Dense(units=10, dtype=dtype, name=None)(x)': "Keras gives the first one this name",
        'x = keras.layers.Dropout(rate=0.2, dtype=dtype, name="dropout")(x) -> x = keras.layers.Dropout(rate=0.2, dtype=dtype, )(x)': "Keras gives the first one this name",
        'x = keras.layers.Dropout(rate=0.2, dtype=dtype, name="dropout")(x) -> x = keras.layers.Dropout(rate=0.2, dtype=dtype, name=None)(x)': "Keras gives the first one this name",
        'outputs = keras.layers.Dense(units=10, dtype=dtype, name="dense")(x) -> outputs = keras.layers.Dense(units=11, dtype=dtype, name="dense")(x)': "a test is missing, of what the person chose",
        'x = MyNetConv(filters=8, kernel_size=3, dtype=dtype, name="conv")(x) -> x = MyNetConv(filters=8, kernel_size=4, dtype=dtype, name="conv")(x)': "a test is missing, of what the person chose",
        'x = MyNetConv(filters=8, kernel_size=3, dtype=dtype, name="conv")(x) -> x = MyNetConv(filters=9, kernel_size=3, dtype=dtype, name="conv")(x)': "a test is missing, of what the person chose",
    },
)
