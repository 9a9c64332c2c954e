package main

import (
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
	"go.yaml.in/yaml/v3"
)

// block decodes the yml block of README.md that has a line; its yaml blocks are scenarios.
func block(ts *testscript.TestScript, line string, into any) {
	text, err := os.ReadFile(filepath.Join(ts.Getenv("REPOSITORY"), "README.md"))
	ts.Check(err)
	for part := range strings.SplitSeq(string(text), "```yml\n") {
		part, _, _ = strings.Cut(part, "```")
		if strings.Contains("\n"+part, "\n"+line+"\n") {
			ts.Check(yaml.Unmarshal([]byte(part), into))
			return
		}
	}
	ts.Fatalf("README.md has no yml block with the line %q", line)
}

// indexedJob starts the container of the README's Job once for each completion, as Kubernetes would: with
// JOB_COMPLETION_INDEX set from 0, and $(NAME) in the arguments replaced by the container's variables. What the pods mount
// is in the script's folder.
func indexedJob(ts *testscript.TestScript, _ bool, _ []string) {
	var job struct {
		APIVersion string `yaml:"apiVersion"`
		Spec       struct {
			CompletionMode           string `yaml:"completionMode"`
			Completions, Parallelism int
			Template                 struct {
				Spec struct {
					RestartPolicy string `yaml:"restartPolicy"`
					Containers    []struct {
						Args         []string
						Env          []struct{ Name, Value string }
						VolumeMounts []struct {
							Name      string
							MountPath string `yaml:"mountPath"`
						} `yaml:"volumeMounts"`
					}
					Volumes []struct{ Name string }
				}
			}
		}
	}
	block(ts, "kind: Job", &job)
	pod := job.Spec.Template.Spec
	if job.APIVersion != "batch/v1" || job.Spec.CompletionMode != "Indexed" || pod.RestartPolicy != "Never" || len(pod.Containers) != 1 {
		ts.Fatalf("that is no Indexed Job of one container: %+v", job)
	}
	c := pod.Containers[0]
	for _, m := range c.VolumeMounts {
		if !slices.ContainsFunc(pod.Volumes, func(v struct{ Name string }) bool { return v.Name == m.Name }) {
			ts.Fatalf("there is no volume %s", m.Name)
		}
		ts.Check(os.MkdirAll(ts.MkAbs("."+m.MountPath), 0o777))
	}
	total := ""
	for _, e := range c.Env {
		ts.Setenv(e.Name, e.Value)
		if e.Name == "JOB_COMPLETIONS" {
			total = e.Value
		}
	}
	if total != strconv.Itoa(job.Spec.Completions) {
		ts.Fatalf("%d completions, and JOB_COMPLETIONS is %q", job.Spec.Completions, total)
	}
	for index := range job.Spec.Completions {
		ts.Setenv("JOB_COMPLETION_INDEX", strconv.Itoa(index))
		var args []string
		for _, a := range c.Args {
			a = strings.ReplaceAll(a, "$(JOB_COMPLETION_INDEX)", strconv.Itoa(index))
			if strings.Contains(a, "$(") {
				ts.Fatalf("%s: a variable that the container doesn't have", a)
			}
			if strings.HasPrefix(a, "/") {
				a = "." + a
			}
			args = append(args, a)
		}
		ts.Check(ts.Exec("edgelab", args...))
	}
	ts.Setenv("JOB_COMPLETION_INDEX", "")
}

// actions does what the README's workflow does: the commands of the job legs for each value of its matrix, and then those
// of the job report. What the steps of others do (checkout, Go, artifacts) is in the script's folder already.
func actions(ts *testscript.TestScript, _ bool, _ []string) {
	type job struct {
		Needs    string
		Strategy struct{ Matrix struct{ Shard []int } }
		Steps    []struct{ Run, Uses string }
	}
	var workflow struct{ Jobs struct{ Legs, Report job } }
	block(ts, "jobs:", &workflow)
	legs, report := workflow.Jobs.Legs, workflow.Jobs.Report
	shards := legs.Strategy.Matrix.Shard
	if len(shards) < 2 || report.Needs != "legs" {
		ts.Fatalf("that is no workflow of a matrix and a report: %+v", workflow)
	}
	run := func(j job, values ...string) {
		ran := 0
		for _, step := range j.Steps {
			if step.Run == "" || strings.HasPrefix(step.Run, "go install ") {
				continue
			}
			command := strings.NewReplacer(values...).Replace(step.Run)
			if strings.Contains(command, "${{") {
				ts.Fatalf("%s: an expression that nothing gives a value", command)
			}
			ran++
			ts.Check(ts.Exec("sh", "-e", "-c", command))
		}
		if ran == 0 {
			ts.Fatalf("nothing was run: %+v", j)
		}
	}
	for _, shard := range shards {
		run(legs, "${{ matrix.shard }}", strconv.Itoa(shard), "${{ strategy.job-total }}", strconv.Itoa(len(shards)))
	}
	run(report)
}
