"""What proves the template `blank`."""

from __future__ import annotations

from proofs import Proof

PROOF = Proof(
    goldens={
        "blank": ["MyLayer"],
        "blank_with_every_type": [
            "EveryType",
            "--template=blank",
            "width:int{>0}",
            "inner:layer",
            "depth:int=None{>=1,<10}",
            "gain:float=1.0{>0}",
            "rate:float=0.5{>=0,<1}",
            "flag:bool=false",
            'label:str=it\'s "{x}"',
            "mode:enum(sum,mean)=sum",
            "window:ints(2)=3",
            "offsets:ints(3)=1,2,3{>=-1,<40}",
            "sizes:ints=1,2{>0}",
            "act:activation=relu",
            "scale_initializer:initializer=ones",
            "penalty:regularizer=l2",
            "limit:constraint=None",
            "noise_seed:seed=None",
            "make:layer=None",
        ],
    },
    judged={
        "input_shape = self.make.compute_output_shape(input_shape) -> input_shape = None": "only Keras's own `build` gets it, which does not look at the shape",
        "self.noise_seed_generator = keras.random.SeedGenerator(noise_seed) -> self.noise_seed_generator = None": "nothing draws from the generator yet",
        "self.noise_seed_generator = keras.random.SeedGenerator(noise_seed) -> self.noise_seed_generator = keras.random.SeedGenerator(None)": "nothing draws from the generator yet",
    },
)
