# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# bats.bash: a file of bats as part of a longer TAP, to be sourced.
#
# Tests of packets and containers have clocks in them: a file that failed while
# the hypervisor gave these cores to others has measured those, and is run again,
# twice at most, which is said. A failure on cores of our own stands.

# What was stolen, and all there was, in ticks of all cores.
bats_ticks() {
  awk '$1 == "cpu" { print $9, $2 + $3 + $4 + $5 + $6 + $7 + $8 + $9 }' /proc/stat
}

# bats_stolen THEN NOW: in thousandths of what there was.
bats_stolen() {
  awk -v then="$1" -v now="$2" 'BEGIN {
    split(then, a)
    split(now, b)
    print int(1000 * (b[1] - a[1]) / (b[2] - a[2] + 1)) }'
}

# bats_file FILE: its TAP on standard output, its tests numbered from n + 1, which
# is counted up; 1 if one failed.
bats_file() {
  local file=$1 log status=0 again before stolen line word rest
  log=$(mktemp)
  for again in yes yes no; do
    status=0
    before=$(bats_ticks)
    bats --tap --timing "$file" > "$log" 2>&1 < /dev/null && break
    status=1
    stolen=$(bats_stolen "$before" "$(bats_ticks)")
    if [ $again = no ] || [ "$stolen" -lt 20 ]; then break; fi
    echo "# ${file##*/} failed while $stolen of 1000 ticks were stolen; again:"
    sed 's/^/# /' "$log"
  done
  while IFS= read -r line; do
    case $line in
      1..*) echo "# ${file##*/}" ;;
      'ok '* | 'not ok '*)
        n=$((n + 1))
        word=${line%%[0-9]*}
        rest=${line#"$word"}
        echo "$word$n ${rest#* }"
        ;;
      *) printf '%s\n' "$line" ;;
    esac
  done < "$log"
  rm -f "$log"
  [ $status = 0 ] || echo "# ${file##*/}: bats failed"
  return $status
}
