/* SPDX-License-Identifier: Apache-2.0 */
/*
 * run_completion: the scripts by which a shell asks europactl what could come
 * next. They know nothing themselves.
 */
#include "cli/args.h"
#include "cli/run.h"
#include "lib/base.h"

#include <stdio.h>

static const struct {
	const char *shell;
	const char *script;
} scripts[] = {
	{ "bash",
	    "# bash completion for europactl: source <(europactl completion "
	    "bash)\n"
	    "_europactl() {\n"
	    "  local line\n"
	    "  COMPREPLY=()\n"
	    "  while IFS= read -r line; do\n"
	    "    COMPREPLY+=(\"$line\")\n"
	    "  done < <(\"${COMP_WORDS[0]}\" __complete \\\n"
	    "    \"${COMP_WORDS[@]:1:COMP_CWORD}\" 2> /dev/null)\n"
	    "}\n"
	    "complete -o default -F _europactl europactl\n" },
	{ "zsh",
	    "#compdef europactl\n"
	    "# zsh completion for europactl: source <(europactl completion "
	    "zsh)\n"
	    "_europactl() {\n"
	    "  local -a found\n"
	    "  found=(\"${(@f)$(\"${words[1]}\" __complete \\\n"
	    "    \"${(@)words[2,CURRENT]}\" 2> /dev/null)}\")\n"
	    "  found=(\"${(@)found:#}\")\n"
	    "  (( ${#found} )) && compadd -a found || _files\n"
	    "}\n"
	    "if [ \"$funcstack[1]\" = _europactl ]; then\n"
	    "  _europactl \"$@\"\n"
	    "else\n"
	    "  compdef _europactl europactl\n"
	    "fi\n" },
	{ "fish",
	    "# fish completion for europactl: europactl completion fish | "
	    "source\n"
	    "function __europactl\n"
	    "  set -l words (commandline -opc) (commandline -ct)\n"
	    "  $words[1] __complete $words[2..-1] 2> /dev/null\n"
	    "end\n"
	    "complete -c europactl -a '(__europactl)'\n" },
};

int
run_completion(struct cli *c, const struct call *call)
{
	(void)c;
	for (size_t i = 0; i < ARRAY_SIZE(scripts); i++)
		if (strcmp(scripts[i].shell, call->word[0]) == 0) {
			fputs(scripts[i].script, stdout);
			return EXIT_DONE;
		}
	return cli_fail(
	    EXIT_USAGE, "%s: want bash, zsh or fish", call->word[0]);
}
