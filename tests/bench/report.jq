# SPDX-License-Identifier: Apache-2.0
# report: JSON lines of tests/bench/run to a page. Arguments: plots, the names of
# the plots that were made, of the experiments with their descriptions, and what
# papers have published (data/published.jsonl), each line with the figure of ours
# that stands beside it: experiment and name, `NAME@max` is the best of `NAME@X`; and
# notes, a text for the page.
def number: if . == null then "" elif type == "number"
  then (if fabs >= 1000 then round elif fabs >= 10 then . * 10 | round / 10
        elif fabs >= 0.1 then . * 100 | round / 100
        else . * 10000 | round / 10000 end | tostring) else tostring end;
# a judged value, not rounded across what was wanted
def judged: . * 1000 | round / 1000 | tostring;
def cell: number | gsub("\\|"; "\\|") | gsub("\n"; " ");
def row: "| " + (map(cell) | join(" | ")) + " |";
def rule($n): "|" + ([range($n) | "---|"] | join(""));
def yes_no: if . then "met" else "**not met**" end;
# T2 before T10, names behind numbers
# what is behind a semicolon in a comment belongs to one run
def order: (.target | [(capture("(?<n>[0-9]+)").n // "999" | tonumber), .]);

# each line with that of the machine that its run began with
def with_machine: [foreach .[] as $line ({};
  if $line.name == "machine" then {machine: $line} else . end; $line + .)];

# of a figure, or target, that a run has twice the last one counts
def last_runs: with_machine | [.[] | select(.experiment)] | group_by([.experiment, .name])
  | map(.[-1]);

def machine_text: "| | |", "|---|---|",
  (["processor", "\(.cpu), \(.cores) cores"],
   ["kernel", "Linux \(.kernel)"], ["DPDK", .dpdk],
   ["huge pages", if .hugepages then "2 MiB" else "none" end] | row);
def run_text: "\(.version // "europad")\(.revision // "" | if . == "" then "" else ", revision " + . end)"
  + ", \(.date // "" | .[:10]): `\(if .quick then "--quick " else "" end)"
  + "--runs \(.runs // "?") --window \(.window_ms // "?")`";

def last_targets: [.[] | select(.target)]
  | group_by([.target, .level, (.comment | split(";")[0])]) | map(.[-1]) | sort_by(order, .level);

def not_judged: [range(1; 15) | "T\(.)"] - map(.target)
  | if length == 0 then empty else "Not judged here: \(join(", "))." end;

def targets_text: last_targets
  | (map(select(.level == "must")) | "\(map(select(.met)) | length) of " +
     "\(length) lines that must be met are met; of those that we stretch for"),
    "\(map(select(.level == "stretch" and .met)) | length) of " +
     "\(map(select(.level == "stretch")) | length).",
    "Values are medians of near runs if there are five, else of all runs.",
    not_judged, "",
    (["target", "level", "value", "wanted", "", "what"] | row), rule(6),
    (.[] | [.target, .level, (.value | judged), .wanted, (.met | yes_no), .comment] | row);

# those that bear its name; the others have a number of their own
def own_targets($targets): . as $e | $targets | map(select(.target == $e))
  | if length == 0 then empty else
    (["wanted of it", "value", "wanted", ""] | row), rule(4),
    (.[] | [.comment, (.value | judged), .wanted, (.met | yes_no)] | row), "" end;

def experiment_text($about; $plots; $targets): .[0].experiment as $e
  | "", "### \($e)", "", ($about[$e] // ""), "", (.[-1].machine | run_text), "",
    ($e | own_targets($targets)),
    ($plots[] | select(.experiment == $e) | "![\(.title)](\(.file))", ""),
    "<details><summary>\(length) figures</summary>", "",
    (["figure", "unit", "median", "min", "max", "n", "cores",
      "CPU ns a packet", "command"] | row), rule(9),
    (.[] | [.name, .unit, .median, .min, .max, .n, .class, .cpu_ns_per_packet,
      "`\(.command)`"] | row),
    "", "</details>";

# The median of that figure, with its unit; nothing if it was not measured.
def ours($runs): . as $p
  | if .experiment == null then ""
    elif .name | endswith("@max") then (.name | rtrimstr("max")) as $head
      | [$runs[] | select(.experiment == $p.experiment)
         | select(.name | startswith($head))]
      | if length == 0 then "" else max_by(.median)
        | "\(.median | number) \(.unit)" end
    else [$runs[] | select(.experiment == $p.experiment and .name == $p.name)]
      | if length == 0 then "" else "\(.[0].median | number) \(.[0].unit)" end
    end;

def published_text($runs): group_by([.paper, .where])
  | sort_by(.[0].where / " " | [.[0], (.[1] | tonumber)])[]
  | "", "### \(.[0].paper), \(.[0].where | ascii_downcase)", "",
    (["published", "", "from", "ours", "what of ours"] | row), rule(5),
    (.[] | [.what, (if .value == null then "" else
        "\(.value | number) \(.unit)" end), .how, ours($runs),
        .ours // ""] | row);

. as $all
| "# What Europa does, measured",
  "",
  "Made by `tests/bench/report` of the lines in `bench.jsonl`; do not edit.",
  "",
  "Each figure is a median of *n* runs with its extremes. Peers were started by",
  "the same run and took turns with Europa. Compare figures of one experiment",
  "only, and the ratio before the rate: other machines give other rates. A run",
  "lasts as long as `--window` says, in ms, or a simple part of that. *Cores* says how far",
  "the two processors were from each other, by a cache line sent there and back",
  "before and after each run: near, far, or mixed if it changed in between. CPU",
  "time is that of all processes that took part.",
  "", "## Machine", "",
  ([$all[] | select(.name == "machine")] | (.[-1] // {}) | machine_text),
  "", "## Targets", "",
  ($all | targets_text),
  (if $notes == "" then empty else "", "## What to know of them", "", $notes end),
  "", "## Experiments",
  ($all | last_runs | group_by(.experiment)[]
    | sort_by(.name | [splits("@")] | [.[0], (.[1] // "" | tonumber? // .)])
    | experiment_text($about; $plots; $all | last_targets)),
  "", "## Beside the papers", "",
  "Published figures are of other machines and other years: compare what follows",
  "from what, not rates. What was read from a plot is as good as its axis.",
  ($published | published_text($all | last_runs)),
  "", "## How to do it again", "",
  "```sh",
  "./quickstart bench --only stages        # as root; installs and builds all that is wanted",
  "make -C _build bench                    # all experiments, as root",
  "tests/bench/run --list                  # what there is",
  "tests/bench/run --only stages --json one.jsonl",
  "tests/bench/judge one.jsonl             # its targets, by the rules of now",
  "tests/bench/report FOLDER one.jsonl     # a page like this one, elsewhere",
  "make -C _build check-guard              # instructions a packet, ceilings",
  "```",
  "",
  "Two cores with nothing else to do, `gnuplot-nox` for the plots. In a virtual",
  "machine others take the processor away for milliseconds: medians stand that,",
  "a p99 does not."
