package conformance

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
)

// DefaultMirror is where the Debian packages come from; EDGELAB_DEBIAN_MIRROR names another.
const DefaultMirror = "http://deb.debian.org/debian"

// Install brings the Debian roots with the packages of the named products (nil: all) into dir ("": DefaultRoots). A
// root that is complete is left as it is. What can't be had is an error for each release; the others are still
// installed. It takes root, debootstrap and a mirror that can be reached.
func Install(ctx context.Context, dir string, products []string, progress io.Writer) error {
	list, err := selectProducts(products)
	if err != nil {
		return err
	}
	if dir == "" {
		if dir, err = DefaultRoots(); err != nil {
			return err
		}
	}
	if progress == nil {
		progress = io.Discard
	}
	packages := map[string][]string{}
	var releases []string
	for _, p := range list {
		if p.Release == "" {
			continue
		}
		if _, ok := packages[p.Release]; !ok {
			releases = append(releases, p.Release)
		}
		packages[p.Release] = append(packages[p.Release], p.Packages...)
	}
	var failed []error
	for _, release := range releases {
		want := packages[release]
		slices.Sort(want)
		if err := installRelease(ctx, filepath.Join(dir, release), release, slices.Compact(want), progress); err != nil {
			failed = append(failed, fmt.Errorf("debian %s: %w", release, err))
		}
	}
	return errors.Join(failed...)
}

// rootReady is the file that says that debootstrap has finished.
const rootReady = "/etc/edgelab-root"

func installRelease(ctx context.Context, root, release string, packages []string, progress io.Writer) error {
	mirror := os.Getenv("EDGELAB_DEBIAN_MIRROR")
	if mirror == "" {
		mirror = DefaultMirror
	}
	if _, err := os.Stat(root + rootReady); err != nil {
		_, _ = fmt.Fprintf(progress, "debian %s: base system to %s\n", release, root)
		if err := bootstrap(ctx, root, release, mirror); err != nil {
			return err
		}
	}
	missing := missingPackages(ctx, root, packages)
	if len(missing) == 0 {
		return nil
	}
	_, _ = fmt.Fprintf(progress, "debian %s: %s\n", release, strings.Join(missing, " "))
	return inRoot(ctx, root, "export DEBIAN_FRONTEND=noninteractive; dpkg --configure -a; apt-get -qq update && apt-get -qq -y --no-install-recommends install \"$@\"", missing...)
}

func bootstrap(ctx context.Context, root, release, mirror string) error {
	if err := os.RemoveAll(root); err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(root), 0o755); err != nil {
		return err
	}
	out, err := exec.CommandContext(ctx, "debootstrap", "--variant=minbase", "--include=ca-certificates", release, root, mirror).CombinedOutput() //nolint:gosec // whoever installs names the mirror
	if err != nil {
		return fmt.Errorf("debootstrap: %w: %s", err, tail(string(out)))
	}
	for path, text := range map[string]string{
		"/usr/sbin/policy-rc.d": "#!/bin/sh\n# No service starts by itself here.\nexit 101\n",
		"/etc/dpkg/dpkg.cfg.d/edgelab": "force-unsafe-io\npath-exclude=/usr/share/doc/*\npath-exclude=/usr/share/man/*\n" +
			"path-exclude=/usr/share/locale/*\n",
		// A mirror may be a snapshot whose date has passed.
		"/etc/apt/apt.conf.d/edgelab": "Acquire::Check-Valid-Until \"false\";\nAcquire::Check-Date \"false\";\nAcquire::Retries \"3\";\n",
		rootReady:                     release + "\n",
	} {
		if err := os.MkdirAll(filepath.Dir(root+path), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(root+path, []byte(text), 0o755); err != nil {
			return err
		}
	}
	return nil
}

func missingPackages(ctx context.Context, root string, packages []string) []string {
	var missing []string
	for _, p := range packages {
		cmd := exec.CommandContext(ctx, "dpkg-query", "--admindir="+root+"/var/lib/dpkg", "-W", "-f", "${db:Status-Status}", p)
		if out, err := cmd.Output(); err != nil || strings.TrimSpace(string(out)) != "installed" {
			missing = append(missing, p)
		}
	}
	return missing
}

// prepare mounts what maintainer scripts need, in a mount and process namespace that ends with the command.
const prepare = `set -e
mount --make-rprivate /
root="$1"; script="$2"; shift 2
mount -t proc proc "$root/proc"
mount --rbind /dev "$root/dev"
cp -L /etc/resolv.conf "$root/etc/resolv.conf"
exec chroot "$root" /bin/sh -c "$script" sh "$@"
`

func inRoot(ctx context.Context, root, script string, args ...string) error {
	cmd := exec.CommandContext(ctx, "/bin/sh", append([]string{"-c", prepare, "sh", root, script}, args...)...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNS | syscall.CLONE_NEWPID}
	out, err := cmd.CombinedOutput()
	if err != nil {
		return fmt.Errorf("install: %w: %s", err, tail(string(out)))
	}
	return nil
}
