package wire

// Versions of Datalog as blocks state them (specification, section "Blocks").
const (
	version30 = 3
	version31 = 4 // check all, scopes, bitwise operators, !==
	version32 = 5 // third-party blocks
	version33 = 6 // reject if, closures, ==, null, arrays, maps, type, extern

	minVersion = version30
	maxVersion = version33
)

// datalogVersion accepts the version in the current field.
func (f *fields) datalogVersion() (uint32, *Error) {
	if f.val < minVersion || f.val > maxVersion {
		return 0, f.in(unsupported(f.at, "Datalog version %d, supported are %d to %d", f.val, minVersion, maxVersion))
	}
	return uint32(f.val), nil
}

// noVersion is the error for a message that ends at offset without stating a
// version, which stands for 0.
func noVersion(offset int) *Error {
	return unsupported(offset, "no Datalog version, supported are %d to %d", minVersion, maxVersion).under("version", -1)
}

// since refuses the current field in a block of a version before the one that
// brought what it says.
func (f *fields) since(version uint32, what string) *Error {
	if f.d.version < version {
		return f.failf("%s needs Datalog version %d, the block states %d", what, version, f.d.version)
	}
	return nil
}
