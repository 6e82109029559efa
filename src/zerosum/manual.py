"""The manual of the command line: for each verb what it does, with examples and the meaning of its exit codes.

`cli/` has the verbs and their options. A paragraph that begins with a backspace keeps its line breaks.
"""

from dataclasses import dataclass

FINE = "fine"
FAILED = "failed on the way, such as a full disk; a sentence says why"
REFUSED = "something given is not allowed; a sentence says what, and what to do"


@dataclass(frozen=True)
class Page:
    """What `zerosum VERB --help` says beside the options.

    Attributes:
        summary: One line, for the list of verbs.
        text: What the verb does and what it writes.
        examples: Commands that can be typed as they are, where the files exist.
        fine: What exit code 0 means.
    """

    summary: str
    text: str
    examples: tuple[str, ...]
    fine: str = FINE

    @property
    def help(self) -> str:
        """Summary and text."""
        return f"{self.summary}\n\n{self.text}"

    @property
    def epilog(self) -> str:
        """Examples and exit codes, line by line."""
        examples = "\n".join(f"  {command}" for command in self.examples)
        codes = "\n".join(f"  {code}  {meaning}" for code, meaning in enumerate((self.fine, FAILED, REFUSED)))
        return f"\b\nExamples:\n{examples}\n\n\b\nExit codes:\n{codes}"


PROGRAM = Page(
    "Train generators on physics data, and certify how far they are from it.",
    "Results go to stdout, progress to stderr; no verb asks a question or needs a network. Files are .csv, .npy, "
    ".npz, .h5, .hdf5, .parquet or .root, by their suffix. Divergences are in nats. Options marked NAME ... take "
    "several values: --columns pt eta phi. Each verb has its own help: zerosum VERB --help.",
    (
        "zerosum demo",
        "zerosum train events.root --columns pt eta phi --out run",
        "zerosum sample run -n 100000 -o generated.root",
        "zerosum compare run generated.root --report report.html",
        "zerosum --install-completion",
    ),
)

PAGES = {
    "inspect": Page(
        "Say what is in a file: names, units, ranges, missing values.",
        "Every column with its unit, type, range, mean and standard deviation, with the number of distinct values "
        "where it is small, and whatever would stop a training: NaN, infinities, text, jagged branches. Reads the "
        "file in bounded memory and changes nothing.",
        ("zerosum inspect events.root", "zerosum inspect showers.h5 --json"),
    ),
    "simulate": Page(
        "Draw events from a built-in source with known truth.",
        "Sources: showers (368 voxels, MeV), shower-images (16 x 16 pixels, MeV), ising (16 x 16 spins), dimuon "
        "(six columns, GeV), ring and grid (normal modes in the plane), mixture, and known densities such as gaussian, "
        "cauchy or student. The file is written in constant memory.",
        (
            "zerosum simulate dimuon -n 20000 -o muons.h5",
            "zerosum simulate showers -n 100000 --seed 1 -o showers.h5",
            "zerosum simulate showers -o e.h5 --set particle=electron",
            "zerosum simulate mixture -o two.csv --set means=-2,2 weights=1,3",
        ),
    ),
    "train": Page(
        "Train a generator on a file of events.",
        "Without a configuration the tool looks at the events and chooses transforms, networks and steps; every "
        "choice is written to RUN/config.yaml. 80 % of the events train, 10 % choose among checkpoints, 10 % test. "
        "At the end the generator is compared with the test split: RUN/report.html and RUN/certificate.json.\n\n"
        "Ctrl-C, SIGTERM or a file RUN/stop saves and stops; --resume goes on to the same numbers as a training "
        "that was not interrupted. A second Ctrl-C ends at once. RUN/snapshots has generated events in the course "
        "of the training; zerosum watch shows them.",
        (
            "zerosum train events.csv --columns pt eta phi --out run",
            "zerosum train showers.h5 --condition incident_energy --steps 5000",
            "zerosum train events.csv --model flow --config flow.yaml --out flow",
            "zerosum train events.csv --network networks:FAMILY --out run",
            "zerosum train --resume --out run",
            "zerosum train events.h5 --devices 4",
            "srun zerosum train events.h5 --devices 4 --nodes 2",
        ),
        "trained to the end, or stopped on request and saved",
    ),
    "sample": Page(
        "Draw events from a trained generator.",
        "Writes the columns that it was trained on, with names and units, in constant memory. The same seed gives "
        "the same events, the first of them whatever the number. Conditions are drawn from those of the training "
        "events, unless --where fixes them.\n\n"
        "With --shard each of N jobs draws its own part of the same events: the files OUTPUT-K-of-N.h5, which OUTPUT "
        "shows as one.",
        (
            "zerosum sample run -n 100000 -o generated.root",
            "zerosum sample run -n 10000000 --workers 8 -o many.h5",
            "zerosum sample run -n 10000000 -o many.h5 --shard 0/8",
            "zerosum sample run -n 1000 -o at50.h5 --where incident_energy=50000",
            "zerosum sample model.onnx -n 1000 -o generated.h5",
        ),
    ),
    "export": Page(
        "Write the generator as one file that needs no zerosum.",
        "As .onnx: one graph from latents and conditions to events in physical units, with names, units, versions and "
        "the certificate in its description. Before it is kept it is run by onnxruntime and compared with PyTorch "
        "on the same latents.\n\n"
        "As .c: one C99 file without dependencies, of a table's MLP, compiled by gcc and compared likewise. "
        "Either needs the extra [export].",
        ("zerosum export run -o model.onnx", "zerosum export run -o model.c"),
    ),
    "compare": Page(
        "Certify how far generated events are from the reference.",
        "Critics are trained on some of the events and judged on others. Printed are lower limits, "
        "estimates and errors of the Jensen-Shannon divergence and of KL in both directions, in nats; what is "
        "missing and what is invented; which features, regions and conditions tell the samples apart. The limits "
        "hold at every sample size, for independent, unweighted events.\n\n"
        "Columns are matched by name; without --columns, those that both files have. Give the run "
        "as the reference, not its file: then only the test split is used, which the training has not seen. Files "
        "above 1 GiB are streamed in bounded memory.",
        (
            "zerosum compare run generated.root --report report.html",
            "zerosum compare a.csv b.csv --columns pt eta --json c.json",
            "zerosum compare a.csv b.csv --observable 'm=mass(1,2)' 'r=pt1/pt2'",
        ),
        "compared, whatever the result: read the limit in --json",
    ),
    "rank": Page(
        "Rank trainings from several seeds by their validation events.",
        "One line for each run in a folder that was judged: the Jensen-Shannon divergence of its best generator by the "
        "validation split, with its error, and the certified limit from the test split, which had no part in the "
        "choice. The trainings need no communication: any batch system runs them.",
        ("zerosum rank runs", "zerosum rank runs --json ranked.json"),
    ),
    "watch": Page(
        "Serve a live page of runs to this machine.",
        "Curves, generated events, the discriminator's field, several runs side by side, replay of finished runs "
        "with a slider, and a button that stops and saves (it writes the file RUN/stop). The page answers to "
        "127.0.0.1 only and asks no other server for anything. Prints its address; Ctrl-C ends it. Needs the "
        "extra [watch].",
        ("zerosum watch run", "zerosum watch runs --port 9000 --browser"),
    ),
    "demo": Page(
        "The whole story on a built-in source, in a few minutes.",
        "Simulates 30,000 showers in a small calorimeter, trains a generator that is given the incident energy, draws "
        "10,000 new showers and 2,000 of 5 GeV, compares them with showers that the training never saw, and writes a "
        "report with pictures. With --source dimuon the events are 20,000 pairs of muons.",
        ("zerosum demo", "zerosum demo --source dimuon --out muons --quiet"),
        "told to the end, or stopped on request and saved",
    ),
    "duel": Page(
        "Train all models on identical splits for the same time.",
        "gan, vae, flow, mixture and gaussian, as far as they serve this kind of events. One table and one page: "
        "likelihood where there is one, divergences, missing and invented fractions, speed, and whether what the "
        "theory predicts was seen. Writes OUT/duel.json, OUT/report.html and a run for each model.",
        (
            "zerosum duel data.csv",
            "zerosum duel data.csv --seconds 60 --models gan flow mixture:3",
            "zerosum duel showers.h5 --out duel --json duel.json",
        ),
    ),
}
