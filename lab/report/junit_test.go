package report_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/edgelab/edgelab/lab/report"
)

// tool returns where a program is. Without it the test is skipped, except in CI, where everything must be there.
func tool(t *testing.T, program string) string {
	t.Helper()
	path, err := exec.LookPath(program)
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("%s isn't installed, and with CI=true every test must run", program)
		}
		t.Skipf("%s isn't installed; .ci/tools says how to", program)
	}
	return path
}

// The file is one that the schema of JUnit's readers allows, whatever the run was; and the schema refuses what isn't.
func TestJUnitSchema(t *testing.T) {
	xmllint := tool(t, "xmllint")
	valid := func(name, text string) (string, error) {
		path := filepath.Join(t.TempDir(), name+".xml")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		out, err := exec.CommandContext(t.Context(), xmllint, "--nonet", "--noout", "--schema", "testdata/junit.xsd", path).CombinedOutput()
		return string(out), err
	}
	all := results()
	all["hostile"], all["run"] = hostile(), ran(t)
	for name, r := range all {
		if out, err := valid(name, write(t, report.FormatJUnit, r, report.Options{})); err != nil {
			t.Errorf("%s: %v\n%s", name, err, out)
		}
	}
	good := write(t, report.FormatJUnit, results()["differs"], report.Options{})
	for _, change := range [][2]string{{`<testcase name=`, `<testcase title=`}, {`tests="`, `tests="-`}, {"<failure ", "<oops></oops><failure "}} {
		bad := strings.Replace(good, change[0], change[1], 1)
		if bad == good {
			t.Fatalf("%s isn't there", change[0])
		}
		if out, err := valid("bad", bad); err == nil {
			t.Errorf("the schema takes %s\n%s", change[1], out)
		}
	}
}
