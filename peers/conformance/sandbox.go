package conformance

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// A sandbox is one Debian root in network, mount and process namespaces of its own. What is written in it is gone
// when it closes, and so is every process: the first process of the namespaces waits for the end of its standard
// input, so that they die with the harness, however it dies.
type sandbox struct {
	first *exec.Cmd
	hold  io.Closer
	root  string   // the root as seen from outside the namespaces
	netns *os.File // held open: sockets are made in it from the harness's own threads
	pidns *os.File
}

// enter prepares the namespaces and becomes their first process. $1 is the Debian root.
const enter = `set -e
mount --make-rprivate /
mount -t tmpfs edgelab /mnt
mkdir /mnt/upper /mnt/work /mnt/root
mount -t overlay -o lowerdir="$1",upperdir=/mnt/upper,workdir=/mnt/work edgelab /mnt/root
mount --rbind /dev /mnt/root/dev
mount -t proc proc /mnt/root/proc
mount -t tmpfs tmp /mnt/root/tmp
mount -t tmpfs run /mnt/root/run
ip link set lo up
ip address add 192.0.2.53/32 dev lo
exec chroot /mnt/root /bin/sh -c 'echo ready; read end || true'
`

// openSandbox starts a sandbox over the Debian root at dir. It needs the rights of root.
func openSandbox(ctx context.Context, dir string) (*sandbox, error) {
	cmd := exec.CommandContext(ctx, "/bin/sh", "-c", enter, "sh", dir)
	cmd.Dir = "/"
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET | syscall.CLONE_NEWNS | syscall.CLONE_NEWPID}
	var stderr strings.Builder
	cmd.Stderr = &stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("namespaces for %s: %w (it takes root and CAP_SYS_ADMIN)", dir, err)
	}
	s := &sandbox{first: cmd, hold: in, root: fmt.Sprintf("/proc/%d/root", cmd.Process.Pid)}
	if line, err := bufio.NewReader(out).ReadString('\n'); strings.TrimSpace(line) != "ready" {
		s.Close()
		return nil, fmt.Errorf("namespaces for %s: %s: %w", dir, strings.TrimSpace(stderr.String()), errors.Join(err, errors.New("not ready")))
	}
	for _, ns := range []struct {
		name string
		file **os.File
	}{{"net", &s.netns}, {"pid_for_children", &s.pidns}} {
		if *ns.file, err = os.Open(fmt.Sprintf("/proc/%d/ns/%s", cmd.Process.Pid, ns.name)); err != nil {
			s.Close()
			return nil, err
		}
	}
	return s, nil
}

// Close ends every process of the sandbox and removes its namespaces.
func (s *sandbox) Close() {
	_ = s.hold.Close()
	timer := time.AfterFunc(5*time.Second, func() { _ = s.first.Process.Kill() })
	_ = s.first.Wait()
	timer.Stop()
	for _, f := range []*os.File{s.netns, s.pidns} {
		if f != nil {
			_ = f.Close()
		}
	}
}

// inside calls f on a thread that is in the sandbox's network, and whose children are in its process namespace. The
// thread ends with the call: it never runs anything else.
func (s *sandbox) inside(f func() error) error {
	done := make(chan error, 1)
	go func() {
		runtime.LockOSThread() // never unlocked: the runtime drops the thread
		if err := unix.Setns(int(s.netns.Fd()), unix.CLONE_NEWNET); err != nil {
			done <- fmt.Errorf("enter the network namespace: %w", err)
			return
		}
		if err := unix.Setns(int(s.pidns.Fd()), unix.CLONE_NEWPID); err != nil {
			done <- fmt.Errorf("enter the process namespace: %w", err)
			return
		}
		done <- f()
	}()
	return <-done
}

// Dial connects inside the sandbox. addr holds an IP address.
func (s *sandbox) Dial(ctx context.Context, network, addr string) (conn net.Conn, err error) {
	err = s.inside(func() error {
		var d net.Dialer
		conn, err = d.DialContext(ctx, network, addr)
		return err
	})
	return conn, err
}

// Listen listens inside the sandbox.
func (s *sandbox) Listen(ctx context.Context, addr string) (l net.Listener, err error) {
	err = s.bind(ctx, func(c *net.ListenConfig) error {
		var err error
		l, err = c.Listen(ctx, "tcp", addr)
		return err
	})
	return l, err
}

// ListenPacket listens inside the sandbox on UDP.
func (s *sandbox) ListenPacket(ctx context.Context, addr string) (l net.PacketConn, err error) {
	err = s.bind(ctx, func(c *net.ListenConfig) error {
		var err error
		l, err = c.ListenPacket(ctx, "udp", addr)
		return err
	})
	return l, err
}

// bind calls listen in the sandbox until the address is free. A socket that was closed a moment ago may live on in a
// process that another sandbox has forked and that hasn't become its program yet.
func (s *sandbox) bind(ctx context.Context, listen func(*net.ListenConfig) error) error {
	deadline := time.Now().Add(patience)
	for {
		err := s.inside(func() error { return listen(new(net.ListenConfig)) })
		if !errors.Is(err, syscall.EADDRINUSE) || time.Now().After(deadline) {
			return err
		}
		select {
		case <-time.After(10 * time.Millisecond):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// WriteFile writes a file of the sandbox, with its folders.
func (s *sandbox) WriteFile(path string, data []byte, mode os.FileMode) error {
	full := s.root + path
	if err := os.MkdirAll(filepath.Dir(full), 0o755); err != nil {
		return err
	}
	if err := os.WriteFile(full, data, mode); err != nil {
		return err
	}
	return os.Chmod(full, mode)
}

// Run runs a command of the sandbox to its end and returns what it printed on both outputs.
func (s *sandbox) Run(ctx context.Context, argv ...string) (string, error) {
	p, err := s.Start(ctx, argv...)
	if err != nil {
		return "", err
	}
	err = p.Wait(ctx)
	return p.Log(0), err
}
