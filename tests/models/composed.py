"""What proves the template `composed`."""

from __future__ import annotations

from models.proof import Proof

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
        "composed_with_attributes": [
            "TableNet",
            *("--option=data=table", "--layer=dense:units=16:activation=relu"),
            *("--layer=Dense:units=1", "--loss=Huber:delta=2.0", "--metric=mae"),
            *("--optimizer=adamw:weight_decay=0.01", "gain:float=1.0{>0}"),
        ],
    },
)
