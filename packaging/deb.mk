# SPDX-License-Identifier: Apache-2.0
# make deb: the packages of packaging/debian in the folder deb, from what a
# tarball would hold. Wants debhelper, no root.
DEBIAN_FILES = \
  packaging/debian/changelog.template \
  packaging/debian/control \
  packaging/debian/copyright \
  packaging/debian/europa-node.dirs \
  packaging/debian/europa-node.install \
  packaging/debian/europa-node.lintian-overrides \
  packaging/debian/europa-node.postinst \
  packaging/debian/europa-node.postrm \
  packaging/debian/europa-node.prerm \
  packaging/debian/europactl.install \
  packaging/debian/libeuropa-vnic-dev.examples \
  packaging/debian/libeuropa-vnic-dev.install \
  packaging/debian/rules \
  packaging/debian/source/format
EXTRA_DIST += $(DEBIAN_FILES)

DEB_DIR = deb
DEB_SOURCE = $(DEB_DIR)/$(distdir)
deb:
	rm -rf $(DEB_DIR) && $(MKDIR_P) $(DEB_DIR)
	$(MAKE) $(AM_MAKEFLAGS) distdir distdir=$(DEB_SOURCE)
	cp -a $(DEB_SOURCE)/packaging/debian $(DEB_SOURCE)/
	cd $(DEB_SOURCE)/debian && $(SED) -e 's|@version[@]|$(VERSION)|' \
	  -e "s|@date[@]|$$(date -R)|" changelog.template > changelog && \
	  rm changelog.template
	cd $(DEB_SOURCE) && \
	  DEB_BUILD_OPTIONS="$${DEB_BUILD_OPTIONS-parallel=$$(nproc)}" \
	  dpkg-buildpackage --no-sign --build=binary
	rm -rf $(DEB_SOURCE)
	@ls $(DEB_DIR)/*.deb
clean-local: clean-deb
clean-deb:
	rm -rf $(DEB_DIR)
.PHONY: clean-deb deb
