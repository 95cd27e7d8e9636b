# SPDX-License-Identifier: Apache-2.0
# packaging/: what a service manager and an administrator need
PACKAGING_IN = \
  packaging/europa.conf.in \
  packaging/europa.tmpfiles.in \
  packaging/europa-vnic.pc.in \
  packaging/europa-dataplane.service.in \
  packaging/europad.service.in
EXTRA_DIST += $(PACKAGING_IN) packaging/europa.sysusers \
  packaging/europa.sysctl packaging/europad.socket
PACKAGING_OUT = $(PACKAGING_IN:.in=)
CLEANFILES += $(PACKAGING_OUT)
# for who watches many nodes
monitoringdir = $(europadatadir)/monitoring
dist_monitoring_DATA = packaging/monitoring/alerts.yaml \
  packaging/monitoring/grafana.json
noinst_DATA += $(PACKAGING_OUT)

# europa.conf names /run/europa, as the daemons' defaults do
PACKAGING_SED = $(SED) \
  -e 's|@sbindir[@]|$(sbindir)|g' \
  -e 's|@europaconfdir[@]|$(europaconfdir)|g' \
  -e 's|@statedir[@]|$(localstatedir)/lib/europa|g' \
  -e 's|@libexecdir[@]|$(europalibexecdir)|g' \
  -e 's|@webdir[@]|$(europawebdir)|g' \
  -e 's|@libdir[@]|$(libdir)|g' \
  -e 's|@includedir[@]|$(includedir)|g' \
  -e 's|@version[@]|$(VERSION)|g'

packaging/europa.conf: packaging/europa.conf.in Makefile
packaging/europa.tmpfiles: packaging/europa.tmpfiles.in Makefile
packaging/europa-vnic.pc: packaging/europa-vnic.pc.in Makefile
packaging/europa-dataplane.service: packaging/europa-dataplane.service.in Makefile
packaging/europad.service: packaging/europad.service.in Makefile
$(PACKAGING_OUT):
	$(AM_V_GEN)$(MKDIR_P) packaging && \
	  $(PACKAGING_SED) $(srcdir)/$@.in > $@.tmp && mv $@.tmp $@

if HAVE_SYSTEMD_UNITS
systemdsystemunit_DATA = packaging/europad.service packaging/europad.socket
if HAVE_DPDK
systemdsystemunit_DATA += packaging/europa-dataplane.service
endif
endif

# Files whose installed name differs, the state folder, and a configuration that
# make install never overwrites and make uninstall removes only if unchanged.
INSTALL_HOOKS += install-packaging
UNINSTALL_HOOKS += uninstall-packaging
install-packaging:
	$(MKDIR_P) '$(DESTDIR)$(sysusersdir)' '$(DESTDIR)$(tmpfilesdir)' \
	  '$(DESTDIR)$(sysctldir)' '$(DESTDIR)$(europaconfdir)' \
	  '$(DESTDIR)$(europadatadir)' \
	  '$(DESTDIR)$(localstatedir)/lib/europa'
	$(INSTALL_DATA) $(srcdir)/packaging/europa.sysusers \
	  '$(DESTDIR)$(sysusersdir)/europa.conf'
	$(INSTALL_DATA) $(srcdir)/packaging/europa.sysctl \
	  '$(DESTDIR)$(sysctldir)/60-europa.conf'
	$(INSTALL_DATA) packaging/europa.tmpfiles \
	  '$(DESTDIR)$(tmpfilesdir)/europa.conf'
	$(INSTALL_DATA) packaging/europa.conf '$(DESTDIR)$(europadatadir)'
	test -e '$(DESTDIR)$(europaconfdir)/europa.conf' || \
	  $(INSTALL_DATA) packaging/europa.conf '$(DESTDIR)$(europaconfdir)'
uninstall-packaging:
	rm -f '$(DESTDIR)$(sysusersdir)/europa.conf' \
	  '$(DESTDIR)$(sysctldir)/60-europa.conf' \
	  '$(DESTDIR)$(tmpfilesdir)/europa.conf'
	! cmp -s '$(DESTDIR)$(europadatadir)/europa.conf' \
	  '$(DESTDIR)$(europaconfdir)/europa.conf' || \
	  rm -f '$(DESTDIR)$(europaconfdir)/europa.conf'
	rm -f '$(DESTDIR)$(europadatadir)/europa.conf'
.PHONY: install-packaging uninstall-packaging

include packaging/dev.mk
include packaging/deb.mk
