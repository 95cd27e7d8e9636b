#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# report.sh: of lines as the suite writes them, the page has a section for each
# experiment, with what was wanted of it, its plot and its figures (TAP).
set -u
TMP=$(mktemp -d)
trap 'rm -rf "$TMP"' EXIT
bench=$EUROPA_SRCDIR/tests/bench
n=0

for tool in bash jq gnuplot; do
  command -v $tool > /dev/null || {
    echo "1..0 # SKIP $tool is not installed"
    exit 0
  }
done

result() { # WORDS STATUS, then what is in $TMP/out
  n=$((n + 1))
  if [ "$2" = 0 ]; then
    echo "ok $n - $1"
  else
    echo "not ok $n - $1"
    sed 's/^/# /' "$TMP/out"
  fi
}

figure() { # EXPERIMENT NAME UNIT MEDIAN
  printf '{"experiment":"%s","name":"%s","unit":"%s","median":%s,' "$@"
  printf '"min":1,"max":9,"n":3,"class":"near","cpu_ns_per_packet":null,"command":"c"}\n'
}

wanted() { # TARGET VALUE WANTED MET COMMENT
  printf '{"target":"%s","level":"must","value":%s,"wanted":"%s","met":%s,"comment":"%s"}\n' "$@"
}

# From its heading to the next.
section() { # NAME
  sed -n "/^### $1\$/,/^##/p" "$TMP/page/README.md" > "$TMP/out"
}

has() { # LINE
  grep -qxF "$1" "$TMP/out"
}

machine() { # CPU REVISION DAY WINDOW
  printf '{"name":"machine","cpu":"%s","cores":2,"version":"europad 1","revision":"%s",' "$1" "$2"
  printf '"date":"2026-11-0%sT10:00:00Z","runs":5,"window_ms":%s}\n' "$3" "$4"
}

{
  machine first abc 1 500
  figure api get@1 1/s 8000
  figure api get@64 1/s 21000
  figure api get@128 1/s 21500
  wanted api 17000 '>= 20000' false 'GET of a router a second, 64 connections'
  wanted api 7.5 '< 10' true 'ms, p99 of a list of 100 routers'
  figure shm io Mpps 9
  wanted T1 1.5 '>= 2' false 'of another experiment'
} > "$TMP/first.jsonl"
{
  machine second def 2 1000
  figure api get@1 1/s 8100
  figure api get@64 1/s 21100
  wanted api 21000 '>= 20000' true 'GET of a router a second, 64 connections'
  wanted api 9.5 '< 10' true 'ms, p99 of a list of 200 routers'
  wanted api 130 '< 200' true 'ms, p99 beside 2,000 connections that drip'
  figure impair delay_p50@1 ms 1.1
  figure impair delay_p50@10 ms 10.1
  figure impair alone kpps 20
} > "$TMP/second.jsonl"
"$bench/report" "$TMP/page" "$TMP/first.jsonl" "$TMP/second.jsonl" > "$TMP/out" 2>&1
result 'a page is made of two files' $?

! "$bench/report" "$TMP/page" "$TMP/first.jsonl" "$TMP/missing.jsonl" > "$TMP/out" 2>&1 &&
  ! "$bench/report" "$TMP/page" /dev/null > "$TMP/out" 2>&1 &&
  [ "$(jq -s 'map(select(.experiment)) | length' "$TMP/page/bench.jsonl")" = 6 ]
result 'of a file that is missing or empty none is made, and the last one stays' $?

section api
{ has '| GET of a router a second, 64 connections | 21000 | >= 20000 | met |' &&
  has '| ms, p99 of a list of 200 routers | 9.5 | < 10 | met |' &&
  has '| ms, p99 beside 2,000 connections that drip | 130 | < 200 | met |'; }
result 'api has a section with what is wanted of it, of its last run' $?
! grep -qE '17000|100 routers|get@128|another experiment' "$TMP/out"
result 'and nothing else' $?
has '![GET of a router](api-1_s.svg)' && grep -q '^| get@64 | 1/s | 21100 ' "$TMP/out"
result 'with its plot and its figures' $?

grep -F '| T1 | must | 1.5 ' "$TMP/page/README.md" > "$TMP/out"
result 'what was not measured again stays' $?

! "$bench/report" "$TMP/page" "$TMP/second.jsonl" > "$TMP/out" 2>&1 &&
  grep -q 'has shm, which is in none' "$TMP/out" && grep -q '^### shm$' "$TMP/page/README.md"
result 'no experiment of a page is lost unasked' $?

tcp() { # NAME VALUES, commas between
  printf '{"experiment":"tcp","name":"%s","unit":"Gbit/s","median":1,"min":1,"max":9,' "$1"
  printf '"n":3,"class":"near","command":"c","values":[%s],"classes":["near","far","near"]}\n' "$2"
}
{
  machine third abc 3 500
  figure shm io Mpps 9
  wanted T1 1.5 '>= 2' false 'stays'
  tcp europa@1 4,6,5
  tcp testpmd@1 4,3,10
  tcp ip_forward@1 8,6,20
  tcp packet_socket@1 2,2,2
  tcp europa@10 2,6,5
  wanted T8 7 '>= 0.9' true 'TCP through one router to testpmd io on the same ports'
} > "$TMP/third.jsonl"
"$bench/judge" "$TMP/third.jsonl" > "$TMP/judged.jsonl" 2> "$TMP/out" &&
  jq -c 'select(.target) | [.target, .value, .met]' "$TMP/judged.jsonl" > "$TMP/out" 2>&1 &&
  [ "$(paste -sd ' ' "$TMP/out")" = \
    '["T1",1.5,false] ["T8",1,true] ["T8",0.5,false] ["T8",2.5,true] ["T8",1,true]' ]
result 'old runs are judged anew, run by run, and what has another judge stays' $?

many() { # NAME UNIT VALUE
  printf '{"experiment":"routers","name":"%s","unit":"%s","median":1,"min":1,"max":1,' "$1" "$2"
  printf '"n":1,"class":"near","command":"c","values":[%s],"classes":["near"]}\n' "$3"
}
for at in @1 @10 @50 @100 _single@100 _unequal@100; do
  many "europa$at" Mpps 8
  many "jain$at" index 1
done > "$TMP/fourth.jsonl"
for at in @10 @50 @100 _single@100; do
  many "to_one$at" ratio 7
done >> "$TMP/fourth.jsonl"
"$bench/judge" "$TMP/fourth.jsonl" > "$TMP/judged.jsonl" 2> "$TMP/out" &&
  jq -r '"\(.name // .target) \(.values[0] // .value)"' "$TMP/judged.jsonl" |
  grep -E '^(to_one|T5)' > "$TMP/out"
[ "$(paste -sd ' ' "$TMP/out")" = \
  "to_one@10 1 to_one@50 1 to_one@100 1 to_one_single@100 1 T5 1 T5 1 T5 1 T5 1 T5 1 T5 1" ]
result 'of many routers each ratio is made anew' $?

section shm
# shellcheck disable=SC2016
has 'europad 1, revision abc, 2026-11-01: `--runs 5 --window 500`' &&
  section api &&
  has 'europad 1, revision def, 2026-11-02: `--runs 5 --window 1000`'
result 'each experiment says which run it is of' $?

section impair
has '![one way over a link, beside what was asked](impair-ms.svg)' &&
  ! grep -q 'wanted of it' "$TMP/out"
result 'an experiment of which nothing is wanted has its plot and figures alone' $?

# Each is in the page by its description, and says what it is about.
for f in "$bench"/exp/*.bash; do
  grep -q "^describe_$(basename "$f" .bash)() {" "$f" || echo "$f"
done > "$TMP/out"
[ ! -s "$TMP/out" ]
result 'each experiment has a description' $?
echo "1..$n"
