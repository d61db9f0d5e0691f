// SPDX-License-Identifier: GPL-2.0-or-later

package matrix

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/klp-convert/klp-convert/scripts/need"
)

// The page in headless Chromium: axe-core judges it, in light and dark, on a phone and on a
// desk; keys open what there is to open. The browser is driven over a pipe by its own protocol:
// objects of JSON, each ended by a zero byte. Nothing is downloaded: make prerequisites
// installs both.

// browser is a Chromium with one page.
type browser struct {
	t       *testing.T
	to      io.Writer
	from    *bufio.Reader
	session string
	id      int
	loaded  int      // events of a page that is loaded
	asked   []string // what the page asked for
}

type reply struct {
	ID     int             `json:"id"`
	Method string          `json:"method"`
	Params json.RawMessage `json:"params"`
	Result json.RawMessage `json:"result"`
	Error  *struct{ Message string }
}

// axeCore returns the program text of axe-core, which npm installs.
func axeCore(t *testing.T) string {
	t.Helper()
	need.Tools(t, "npm")
	root, err := exec.Command("npm", "root", "--global").Output()
	require.NoError(t, err)
	text, err := os.ReadFile(filepath.Join(strings.TrimSpace(string(root)), "axe-core/axe.min.js"))
	if err != nil {
		need.Skip(t, "axe-core is not installed")
	}
	return string(text)
}

// openBrowser starts the browser; the end of the test ends it.
func openBrowser(t *testing.T) *browser {
	t.Helper()
	const program = "chromium-headless-shell"
	need.Tools(t, program)
	in, to, err := os.Pipe()
	require.NoError(t, err)
	from, out, err := os.Pipe()
	require.NoError(t, err)
	cmd := exec.Command(program, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
		"--remote-debugging-pipe", "--no-first-run", "--user-data-dir="+t.TempDir(), "about:blank")
	var said bytes.Buffer
	cmd.Stderr = &said
	cmd.ExtraFiles = []*os.File{in, out} // 3 and 4
	require.NoError(t, cmd.Start())
	in.Close()
	out.Close()
	b := &browser{t: t, to: to, from: bufio.NewReader(from)}
	t.Cleanup(func() {
		to.Close() // ends it
		cmd.Process.Kill()
		cmd.Wait()
		from.Close()
		if t.Failed() {
			t.Logf("%s", said.Bytes())
		}
	})
	var target struct{ TargetID string }
	b.call("Target.createTarget", map[string]any{"url": "about:blank"}, &target)
	var attached struct{ SessionID string }
	b.call("Target.attachToTarget", map[string]any{"targetId": target.TargetID, "flatten": true},
		&attached)
	b.session = attached.SessionID
	for _, domain := range []string{"Page", "Network", "Runtime"} {
		b.call(domain+".enable", nil, nil)
	}
	return b
}

// read returns the next message, and notes what events say.
func (b *browser) read() (r reply) {
	b.t.Helper()
	line, err := b.from.ReadBytes(0)
	require.NoError(b.t, err, "the browser ended")
	require.NoError(b.t, json.Unmarshal(line[:len(line)-1], &r))
	switch r.Method {
	case "Page.loadEventFired":
		b.loaded++
	case "Network.requestWillBeSent":
		var p struct{ Request struct{ URL string } }
		require.NoError(b.t, json.Unmarshal(r.Params, &p))
		b.asked = append(b.asked, p.Request.URL)
	}
	return r
}

// call sends a command, and waits for its result.
func (b *browser) call(method string, params map[string]any, result any) {
	b.t.Helper()
	b.id++
	message := map[string]any{"id": b.id, "method": method}
	if params != nil {
		message["params"] = params
	}
	if b.session != "" {
		message["sessionId"] = b.session
	}
	line, err := json.Marshal(message)
	require.NoError(b.t, err)
	_, err = b.to.Write(append(line, 0))
	require.NoError(b.t, err)
	for {
		r := b.read()
		if r.ID != b.id {
			continue
		}
		require.Nil(b.t, r.Error, "%s: %+v", method, r.Error)
		if result != nil {
			require.NoError(b.t, json.Unmarshal(r.Result, result))
		}
		return
	}
}

// open shows a page, and waits until it is loaded.
func (b *browser) open(page []byte) {
	b.t.Helper()
	path := filepath.Join(b.t.TempDir(), "page.html")
	require.NoError(b.t, os.WriteFile(path, page, 0o644))
	b.asked, b.loaded = nil, 0
	b.call("Page.navigate", map[string]any{"url": (&url.URL{Scheme: "file", Path: path}).String()}, nil)
	for b.loaded == 0 {
		b.read()
	}
}

// evaluate returns the value of an expression of JavaScript, in JSON. The page has none.
func (b *browser) evaluate(expression string, value any) {
	b.t.Helper()
	var r struct {
		Result           struct{ Value json.RawMessage }
		ExceptionDetails *struct{ Text string }
	}
	b.call("Runtime.evaluate", map[string]any{"expression": expression, "awaitPromise": true,
		"returnByValue": true}, &r)
	require.Nil(b.t, r.ExceptionDetails, "%+v", r.ExceptionDetails)
	if value != nil {
		require.NoError(b.t, json.Unmarshal(r.Result.Value, value))
	}
}

// screen sets the width in pixels of CSS, and the scheme of colours.
func (b *browser) screen(width int, scheme string) {
	b.t.Helper()
	b.call("Emulation.setDeviceMetricsOverride", map[string]any{"width": width, "height": 800,
		"deviceScaleFactor": 1, "mobile": width < 500}, nil)
	b.call("Emulation.setEmulatedMedia", map[string]any{"features": []map[string]string{
		{"name": "prefers-color-scheme", "value": scheme}}}, nil)
}

// press presses and releases a key.
func (b *browser) press(key string, code int, text string) {
	b.t.Helper()
	params := map[string]any{"key": key, "code": key, "windowsVirtualKeyCode": code,
		"type": "keyDown"}
	if text != "" {
		params["text"] = text
	}
	b.call("Input.dispatchKeyEvent", params, nil)
	params["type"] = "keyUp"
	delete(params, "text")
	b.call("Input.dispatchKeyEvent", params, nil)
}

type violation struct {
	ID, Help string
	Nodes    []struct{ HTML, FailureSummary string }
}

func TestPageInABrowser(t *testing.T) {
	need.Long(t, "a browser starts")
	axe := axeCore(t)
	b := openBrowser(t)
	for name, m := range pagesToTest() {
		page := m.HTML("1.2")
		for _, width := range []int{360, 1280} {
			for _, scheme := range []string{"light", "dark"} {
				if name != "three" && (width == 360) != (scheme == "dark") {
					continue // each of both once is enough
				}
				at := fmt.Sprintf("%s, %d pixels, %s", name, width, scheme)
				b.screen(width, scheme)
				b.open(page)
				var dark bool
				b.evaluate(`matchMedia("(prefers-color-scheme: dark)").matches`, &dark)
				assert.Equal(t, scheme == "dark", dark, at)
				var over int
				b.evaluate(`document.documentElement.scrollWidth - innerWidth`, &over)
				assert.LessOrEqual(t, over, 0, "%s: the page scrolls sideways", at)
				// What is closed is judged too.
				b.evaluate(`for (const d of document.querySelectorAll("details")) d.open = true`, nil)
				b.evaluate(axe, nil)
				var found struct {
					Passes     int
					Violations []violation
				}
				b.evaluate(`axe.run().then(r => ({passes: r.passes.length, violations: r.violations}))`,
					&found)
				assert.Greater(t, found.Passes, 20, "%s: rules that were tried", at)
				for _, v := range found.Violations {
					assert.Fail(t, at, "%s: %s\n%+v", v.ID, v.Help, v.Nodes[0])
				}
				for _, u := range b.asked {
					assert.True(t, strings.HasPrefix(u, "file:") || u == "about:blank", "%s: %s", at, u)
				}
			}
		}
	}
	testKeys(t, b)
}

// testKeys goes from a cell to its finding, and opens the reference there, by keys alone.
func testKeys(t *testing.T, b *browser) {
	b.screen(360, "light")
	b.open(three().HTML("1"))
	tab := func() { b.press("Tab", 9, "") }
	where := func() (s string) {
		b.evaluate(`(document.activeElement.getAttribute("href") || document.activeElement.tagName) +
			" " + document.activeElement.closest("[id]")?.id`, &s)
		return s
	}
	tab()
	assert.Equal(t, "#findings undefined", where(), "skips the table")
	for i := 0; i < 10 && where() != "#f1 c2-1"; i++ {
		tab()
	}
	require.Equal(t, "#f1 c2-1", where())
	b.press("Enter", 13, "\r")
	var place string
	b.evaluate(`location.hash`, &place)
	assert.Equal(t, "#f1", place)
	for i := 0; i < 10 && where() != "SUMMARY f1"; i++ {
		tab()
	}
	require.Equal(t, "SUMMARY f1", where())
	var open bool
	b.press("Enter", 13, "\r")
	b.evaluate(`document.activeElement.parentElement.open`, &open)
	assert.True(t, open)
}
