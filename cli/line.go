package cli

import (
	"slices"
	"strings"

	"github.com/urfave/cli/v2"
)

// A line is a command line, understood. urfave/cli takes a flag that follows
// an argument for another argument: a token would go out without the narrowing
// asked for. It also lets the last of several values win and takes a flag for
// the value of the one before. So lines are read here, and urfave/cli gets each
// flag as --name=value, before everything else.
type line struct {
	command *cli.Command // nil for the application itself
	args    []string
	help    bool
	version bool
}

// arrange reads a command line. Errors are wrong usage.
func arrange(app *cli.App, args []string) (*line, error) {
	l := &line{}
	commands := app.Commands
	for {
		if l.command != nil && !l.help && unsaid[l.command.Name] != "" && (len(args) == 0 || args[0] != "-h" && args[0] != "--help" && strings.HasPrefix(args[0], "-")) {
			args = append([]string{unsaid[l.command.Name]}, args...)
		}
		if len(args) == 0 {
			return nil, l.noCommand(app, usagef("a command is missing"))
		}
		arg := args[0]
		args = args[1:]
		switch {
		case arg == "help":
			l.help = true
			if len(args) == 0 {
				return l, nil
			}
			continue
		case arg == "-h" || arg == "--help":
			l.help = true
			return l, nil
		case l.command == nil && (arg == "-v" || arg == "--version"):
			l.version = true
			return l, nil
		case strings.HasPrefix(arg, "-"):
			return nil, hintf(usagef("%s stands where a command is expected", quoted(arg)), "flags follow the command, as in whittle mint --key FILE")
		}
		i := slices.IndexFunc(commands, func(c *cli.Command) bool { return c.HasName(arg) })
		if i < 0 {
			return nil, l.noCommand(app, usagef("there is no command %s", quoted(strings.Join(append(l.args, arg), " "))))
		}
		l.command = commands[i]
		l.args = append(l.args, arg)
		if commands = l.command.Subcommands; len(commands) > 0 {
			if l.help && len(args) == 0 {
				return l, nil
			}
			continue
		}
		if l.help {
			return l, nil
		}
		return l, l.flags(args)
	}
}

// flags reads what follows the name of a command that has no commands below it.
func (l *line) flags(args []string) error {
	var flags, others []string
	given := make(map[string]bool)
	for len(args) > 0 {
		arg := args[0]
		args = args[1:]
		if arg == "--" {
			others = append(others, args...)
			break
		}
		if arg == "-" || !strings.HasPrefix(arg, "-") {
			others = append(others, arg)
			continue
		}
		f, value, hasValue := findFlag(l.command, arg)
		if f == nil {
			return hintf(usagef("%s has no flag %s", l.command.HelpName, shown(dashed(flagName(arg)))), "%s --help lists those that it has", l.command.HelpName)
		}
		name := f.Names()[0]
		if _, ok := f.(*cli.BoolFlag); ok {
			if hasValue && value != "true" && value != "false" {
				return usagef("%s is given or not: it takes no value", dashed(name))
			}
			l.help = l.help || name == "help"
			flags = append(flags, arg)
			continue
		}
		if !hasValue {
			if len(args) == 0 {
				return usagef("%s needs a value", dashed(name))
			}
			value, args = args[0], args[1:]
			if next, _, _ := findFlag(l.command, value); next != nil {
				return hintf(usagef("%s needs a value, and %s is a flag", dashed(name), value), "write %s=%s if that is what you mean", dashed(name), value)
			}
		}
		if _, repeats := f.(*cli.GenericFlag); !repeats {
			if given[name] {
				return usagef("%s is given twice", dashed(name))
			}
			given[name] = true
			if value == "" && !mayBeEmpty(name) {
				return hintf(usagef("%s is empty", dashed(name)), "leave the flag out if you do not want it; a variable of your shell may be unset")
			}
		}
		flags = append(flags, "--"+name+"="+value)
	}
	l.args = slices.Concat(l.args, flags, []string{"--"}, others)
	return nil
}

// mayBeEmpty reports whether the empty text is a value of a flag. Of most it is
// not: --agent "" would narrow a token instead of handing it on.
func mayBeEmpty(name string) bool {
	return name == "comment" || name == "context" || name == "block"
}

// findFlag returns the flag that an argument names, and its value if that is
// part of the argument. It returns nil if the argument is no flag of the
// command.
func findFlag(c *cli.Command, arg string) (f cli.Flag, value string, hasValue bool) {
	if !strings.HasPrefix(arg, "-") {
		return nil, "", false
	}
	_, value, hasValue = strings.Cut(arg, "=")
	i := slices.IndexFunc(c.Flags, func(f cli.Flag) bool { return slices.Contains(f.Names(), flagName(arg)) })
	if i < 0 {
		return nil, "", false
	}
	return c.Flags[i], value, hasValue
}

// flagName returns what stands between the dashes and the equals sign.
func flagName(arg string) string {
	name, _, _ := strings.Cut(arg, "=")
	name = strings.TrimPrefix(name, "-")
	return strings.TrimPrefix(name, "-")
}

// dashed writes a flag's name as users do.
func dashed(name string) string {
	if len(name) == 1 {
		return "-" + name
	}
	return "--" + name
}

// noCommand shows the usage together with an error about the command's name.
func (l *line) noCommand(app *cli.App, err error) error {
	showHelp(app.ErrWriter, app, l.command)
	return err
}
