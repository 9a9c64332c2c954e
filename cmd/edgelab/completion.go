package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/alecthomas/kong"
)

type completionCmd struct {
	Shell shell `arg:"" help:"bash, zsh or fish."`
}

// Help says where the script goes.
func (completionCmd) Help() string {
	return `bash: source <(edgelab completion bash)

zsh: edgelab completion zsh > "${fpath[1]}/_edgelab"

fish: edgelab completion fish > ~/.config/fish/completions/edgelab.fish`
}

// Run prints the script. It is made from the same model that parses the command line.
func (c completionCmd) Run(a *app) error {
	entries := completions(a.model.Node, nil)
	switch c.Shell {
	case "bash":
		return a.result(bashScript(entries))
	case "zsh":
		return a.result(zshScript(entries))
	default:
		return a.result(fishScript(entries))
	}
}

type shell string

// Choices returns the shells.
func (shell) Choices() []string { return []string{"bash", "zsh", "fish"} }

// UnmarshalText takes one of Choices.
func (s *shell) UnmarshalText(text []byte) error {
	*s = shell(text)
	return choose("completion", string(text), s.Choices())
}

// A completion is what can follow a command.
type completion struct {
	command []string // "scenarios", "show"
	words   []word   // subcommands, and what the arguments can be
	flags   []option
	files   bool // an argument is a file
}

type word struct{ name, help string }

type option struct {
	name, short, help string
	takes             bool     // a value follows
	choices           []string // what it can be
}

// completions lists what can follow each command of the model, the program itself first.
func completions(n *kong.Node, command []string) []completion {
	c := completion{command: command}
	for _, child := range n.Children {
		c.words = append(c.words, word{child.Name, child.Help})
	}
	for _, arg := range n.Positional {
		for _, choice := range choicesOf(arg) {
			c.words = append(c.words, word{choice, ""})
		}
		c.files = c.files || arg.Tag.Get("complete") == "file"
	}
	for _, group := range n.AllFlags(true) {
		for _, f := range group {
			short := ""
			if f.Short != 0 {
				short = string(f.Short)
			}
			c.flags = append(c.flags, option{f.Name, short, f.Help, !f.IsBool(), choicesOf(f.Value)})
		}
	}
	all := []completion{c}
	for _, child := range n.Children {
		all = append(all, completions(child, append(slices.Clone(command), child.Name))...)
	}
	return all
}

func (c completion) names() []string {
	var names []string
	for _, w := range c.words {
		names = append(names, w.name)
	}
	for _, f := range c.flags {
		names = append(names, "--"+f.name)
		if f.short != "" {
			names = append(names, "-"+f.short)
		}
	}
	return names
}

// bashScript completes words, flags, the values of flags, and file names.
func bashScript(all []completion) string {
	var b strings.Builder
	b.WriteString(`# edgelab completion for bash
_edgelab() {
  local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} path= i words= files=
  for ((i = 1; i < COMP_CWORD; i++)); do
    case "$path ${COMP_WORDS[i]}" in
`)
	for _, c := range all[1:] {
		parent := strings.Join(c.command[:len(c.command)-1], " ")
		fmt.Fprintf(&b, "      %q) path=%q ;;\n", parent+" "+c.command[len(c.command)-1], strings.Join(c.command, " "))
	}
	b.WriteString("    esac\n  done\n  case \"$path $prev\" in\n")
	for _, c := range all {
		for _, f := range c.flags {
			if !f.takes {
				continue
			}
			key := strings.Join(c.command, " ")
			pattern := fmt.Sprintf("%q", key+" --"+f.name)
			if f.short != "" {
				pattern += fmt.Sprintf("|%q", key+" -"+f.short)
			}
			if f.choices != nil {
				fmt.Fprintf(&b, "    %s) COMPREPLY=($(compgen -W %q -- \"$cur\")); return ;;\n", pattern, strings.Join(f.choices, " "))
			} else {
				fmt.Fprintf(&b, "    %s) COMPREPLY=($(compgen -f -- \"$cur\")); return ;;\n", pattern)
			}
		}
	}
	b.WriteString("  esac\n  case \"$path\" in\n")
	for _, c := range all {
		fmt.Fprintf(&b, "    %q) words=%q", strings.Join(c.command, " "), strings.Join(c.names(), " "))
		if c.files {
			b.WriteString(" files=1")
		}
		b.WriteString(" ;;\n")
	}
	b.WriteString(`  esac
  COMPREPLY=($(compgen -W "$words" -- "$cur"))
  if [[ -n $files ]]; then COMPREPLY+=($(compgen -f -- "$cur")); fi
}
complete -o filenames -F _edgelab edgelab
`)
	return b.String()
}

// zshScript lets zsh run the script for bash, which it can.
func zshScript(all []completion) string {
	return "#compdef edgelab\nautoload -U +X bashcompinit && bashcompinit\n" + bashScript(all)
}

// fishScript completes with descriptions, as is usual there.
func fishScript(all []completion) string {
	var b strings.Builder
	b.WriteString("# edgelab completion for fish\ncomplete -c edgelab -f\n")
	for _, c := range all {
		when := "__fish_use_subcommand"
		if len(c.command) > 0 {
			when = "__fish_seen_subcommand_from " + c.command[0]
			for _, sub := range c.command[1:] {
				when += "; and __fish_seen_subcommand_from " + sub
			}
		}
		for _, w := range c.words {
			fmt.Fprintf(&b, "complete -c edgelab -n %s -a %s%s\n", fishQuote(when), fishQuote(w.name), fishHelp(w.help))
		}
		for _, f := range c.flags {
			fmt.Fprintf(&b, "complete -c edgelab -n %s -l %s", fishQuote(when), f.name)
			if f.short != "" {
				fmt.Fprintf(&b, " -s %s", f.short)
			}
			switch {
			case f.choices != nil:
				fmt.Fprintf(&b, " -x -a %s", fishQuote(strings.Join(f.choices, " ")))
			case f.takes:
				b.WriteString(" -r -F")
			}
			b.WriteString(fishHelp(f.help) + "\n")
		}
		if c.files {
			fmt.Fprintf(&b, "complete -c edgelab -n %s -F\n", fishQuote(when))
		}
	}
	return b.String()
}

func fishHelp(text string) string {
	if text == "" {
		return ""
	}
	return " -d " + fishQuote(text)
}

func fishQuote(text string) string {
	return "'" + strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(text) + "'"
}
