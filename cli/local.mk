# SPDX-License-Identifier: Apache-2.0
# cli/: europactl, a client of the REST interface
noinst_LIBRARIES += cli/libcli.a
cli_libcli_a_SOURCES = \
  cli/args.c cli/args.h \
  cli/backup.h \
  cli/backup_file.c \
  cli/base64.c cli/base64.h \
  cli/body.c cli/body.h \
  cli/cert.c cli/cert.h \
  cli/cli.h \
  cli/command.c cli/command.h \
  cli/commands.c \
  cli/connect.c \
  cli/curlline.c cli/curlline.h \
  cli/doctor.c cli/doctor.h \
  cli/doctor_ids.c \
  cli/http.c cli/http.h cli/http_int.h \
  cli/http_upgrade.c \
  cli/output.c cli/output.h \
  cli/progress.c cli/progress.h \
  cli/prune.c \
  cli/refusal.c cli/refusal.h \
  cli/request.c cli/request.h \
  cli/restore.h \
  cli/run.h \
  cli/run_api.c \
  cli/run_backup.c \
  cli/run_complete.c \
  cli/run_completion.c \
  cli/run_config.c \
  cli/run_console.c \
  cli/run_doctor.c \
  cli/run_exec.c \
  cli/run_help.c \
  cli/run_node_stop.c \
  cli/run_restore.c \
  cli/run_top.c \
  cli/say.c \
  cli/servers.c cli/servers.h \
  cli/value.c cli/value.h \
  cli/websocket.c cli/websocket.h \
  cli/yaml.c cli/yaml.h
cli_libcli_a_CFLAGS = $(AM_CFLAGS) $(CURL_CFLAGS) $(JANSSON_CFLAGS)
CLI_LIBS = cli/libcli.a $(LIBEUROPA) $(CURL_LIBS) $(JANSSON_LIBS) \
  $(SYSTEMD_LIBS)

bin_PROGRAMS += europactl
europactl_SOURCES = cli/main.c
europactl_CFLAGS = $(AM_CFLAGS) $(JANSSON_CFLAGS)
europactl_LDADD = $(CLI_LIBS)

# what the shells load: the program writes it
bashcompletiondir = $(datarootdir)/bash-completion/completions
zshcompletiondir = $(datarootdir)/zsh/vendor-completions
fishcompletiondir = $(datarootdir)/fish/vendor_completions.d
nodist_bashcompletion_DATA = cli/bash/europactl
nodist_zshcompletion_DATA = cli/zsh/_europactl
nodist_fishcompletion_DATA = cli/fish/europactl.fish
COMPLETIONS = $(nodist_bashcompletion_DATA) $(nodist_zshcompletion_DATA) \
  $(nodist_fishcompletion_DATA)
$(COMPLETIONS): europactl$(EXEEXT)
	$(AM_V_GEN)$(MKDIR_P) $(@D) && \
	  ./europactl$(EXEEXT) completion $$(basename $(@D)) > $@.tmp && \
	  mv $@.tmp $@
CLEANFILES += $(COMPLETIONS)
