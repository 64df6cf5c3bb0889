package sandbox

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"sandbox/sandbox/definition"
	"sandbox/sandbox/nsinit"
	"sandbox/sandbox/plan"
)

// maxExecOutput bounds what is kept of each output of a further process.
const maxExecOutput = 1 << 20

// exec runs a further process in the container, with the payload's user,
// capabilities and filter, and waits for it. It is killed at the end of ctx.
func (c *container) exec(ctx context.Context, request definition.ExecRequest) (definition.ExecResult, error) {
	p, err := plan.CompileExec(c.def, c.Facts, request)
	if err != nil {
		return definition.ExecResult{}, err
	}
	return c.capture(ctx, p, request.Stdin)
}

// capture runs a further process that has been compiled, and keeps its output.
func (c *container) capture(ctx context.Context, p *plan.Plan, stdin []byte) (result definition.ExecResult, err error) {
	pipes, err := openPipes(stdin)
	if err != nil {
		return result, err
	}
	defer pipes.close()
	defer pipes.started()
	child, err := c.join(p, nsinit.Spawn{Stdin: pipes.in, Stdout: pipes.out, Stderr: pipes.err})
	pipes.started()
	if err != nil {
		return result, err
	}
	defer child.Close()
	if err := child.AwaitExec(ctx); err != nil {
		return result, execError(p, err) // Close kills
	}
	exit, ended := child.Wait(ctx, time.Time{})
	if !ended {
		return result, context.Cause(ctx)
	}
	pipes.wait(ctx)
	result.Stdout, result.Stderr = pipes.stdout.text(), pipes.stderr.text()
	if exit.Status.Signaled() {
		result.Signal, result.Code = SignalName(exit.Status.Signal()), 128+int(exit.Status.Signal())
	} else {
		result.Code = exit.Status.ExitStatus()
	}
	return result, nil
}

func execError(p *plan.Plan, cause error) error {
	temporary := &container{plan: p}
	return temporary.initError(cause)
}

// pipes are the standard files of a further process.
type pipes struct {
	in, out, err   *os.File // init's ends
	ours           []*os.File
	stdout, stderr capture
	copies         sync.WaitGroup
}

func openPipes(stdin []byte) (*pipes, error) {
	p := &pipes{}
	inR, inW, err := os.Pipe()
	if err != nil {
		return nil, fmt.Errorf("make pipes: %w", err)
	}
	p.in, p.ours = inR, append(p.ours, inW)
	p.copies.Add(1)
	go func() {
		defer p.copies.Done()
		defer inW.Close()
		inW.Write(stdin) // EPIPE when the process does not read it all
	}()
	for _, o := range []struct {
		end  **os.File
		keep *capture
	}{{&p.out, &p.stdout}, {&p.err, &p.stderr}} {
		r, w, err := os.Pipe()
		if err != nil {
			p.started()
			p.close()
			return nil, fmt.Errorf("make pipes: %w", err)
		}
		*o.end, p.ours = w, append(p.ours, r)
		p.copies.Add(1)
		go func() {
			defer p.copies.Done()
			defer r.Close()
			io.Copy(o.keep, r)
		}()
	}
	return p, nil
}

// started closes the supervisor's copies of init's ends.
func (p *pipes) started() {
	for _, f := range []*os.File{p.in, p.out, p.err} {
		if f != nil {
			f.Close()
		}
	}
}

// heldOpen is how long output is waited for once the process has ended: what it
// left running in the container may keep the other ends open for ever.
const heldOpen = time.Second

// wait returns when the outputs have ended, or will not be waited for any longer.
func (p *pipes) wait(ctx context.Context) {
	ended := make(chan struct{})
	go func() { p.copies.Wait(); close(ended) }()
	late := time.NewTimer(heldOpen)
	defer late.Stop()
	select {
	case <-ended:
	case <-late.C:
	case <-ctx.Done():
	}
	p.close()
}

// close ends the copies.
func (p *pipes) close() {
	for _, f := range p.ours {
		f.Close()
	}
	p.copies.Wait()
}

// capture keeps the first bytes of an output.
type capture struct {
	kept    bytes.Buffer
	omitted int
}

func (c *capture) Write(b []byte) (int, error) {
	n := min(len(b), maxExecOutput-c.kept.Len())
	c.kept.Write(b[:n])
	c.omitted += len(b) - n
	return len(b), nil
}

func (c *capture) text() []byte {
	if c.omitted > 0 {
		return fmt.Appendf(c.kept.Bytes(), "[%d bytes omitted]", c.omitted)
	}
	return c.kept.Bytes()
}
