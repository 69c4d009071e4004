// Files through Go's standard library: reads assets and input, keeps a journal in /data, lists and renames, tries to leave.
package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"unsafe"
)

//go:wasmimport env ws_log
func wsLog(level int32, ptr unsafe.Pointer, size uint32) int32

var blocks = map[uint32][]byte{}

//go:wasmexport alloc
func alloc(size uint32) uint32 {
	if size == 0 {
		return 0
	}
	block := make([]byte, size)
	address := uint32(uintptr(unsafe.Pointer(unsafe.SliceData(block))))
	blocks[address] = block
	return address
}

func tell(line string, err error) int32 {
	if err != nil {
		line = err.Error()
	}
	wsLog(4, unsafe.Pointer(unsafe.StringData(line)), uint32(len(line)))
	if err != nil {
		return -1
	}
	return 0
}

func lines(path string) (string, error) {
	bytes, err := os.ReadFile(path)
	return strings.ReplaceAll(strings.TrimSpace(string(bytes)), "\n", ","), err
}

func names(path string) (string, error) {
	entries, err := os.ReadDir(path)
	var names []string
	for _, entry := range entries {
		name := entry.Name()
		if entry.IsDir() {
			name += "/"
		}
		names = append(names, name)
	}
	return strings.Join(names, " "), err
}

func keep() (string, error) {
	payload, err := os.ReadFile("/input/payload")
	if err != nil {
		return "", err
	}
	if err := os.MkdirAll("/data/journal", 0o777); err != nil {
		return "", err
	}
	journal, err := os.OpenFile("/data/journal/today", os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o666)
	if err != nil {
		return "", err
	}
	fmt.Fprintln(journal, string(payload))
	if err := journal.Close(); err != nil {
		return "", err
	}
	kept, err := lines("/data/journal/today")
	if err != nil {
		return "", err
	}
	words, err := lines("/assets/words.txt")
	if errors.Is(err, fs.ErrNotExist) {
		return kept + " none", nil
	}
	return kept + " " + words, err
}

func juggle() (string, error) {
	if err := os.MkdirAll("/tmp/a/b", 0o777); err != nil {
		return "", err
	}
	file, err := os.Create("/tmp/a/b/f")
	if err != nil {
		return "", err
	}
	io.WriteString(file, "hello world")
	file.WriteAt([]byte("W"), 6)
	file.Seek(-5, io.SeekEnd)
	rest, err := io.ReadAll(file)
	if err != nil {
		return "", err
	}
	if err := file.Truncate(5); err != nil {
		return "", err
	}
	file.Close()
	if err := os.Rename("/tmp/a/b/f", "/tmp/h"); err != nil {
		return "", err
	}
	status, err := os.Stat("/tmp/h")
	if err != nil {
		return "", err
	}
	left, err := names("/tmp")
	if err != nil {
		return "", err
	}
	if err := os.RemoveAll("/tmp/a"); err != nil {
		return "", err
	}
	text, err := lines("/tmp/h")
	if err != nil {
		return "", err
	}
	after, err := names("/tmp")
	return fmt.Sprintf("%s %s %d %s %s", rest, text, status.Size(), left, after), err
}

func refused(err error) string {
	if err == nil {
		return "allowed"
	}
	return "refused"
}

func escape() (string, error) {
	_, passwd := os.ReadFile("/etc/passwd")
	_, above := os.ReadFile("/data/../../etc/passwd")
	_, relative := os.ReadFile("../etc/passwd")
	_, root := os.ReadDir("/")
	return strings.Join([]string{
		refused(passwd),
		refused(above),
		refused(relative),
		refused(os.WriteFile("/assets/new", []byte("x"), 0o666)),
		refused(os.Remove("/input/payload")),
		refused(os.Symlink("/etc/passwd", "/data/link")),
		refused(root),
	}, " "), nil
}

//go:wasmexport keep_journal
func keepJournal(_ int32) int32 { return tell(keep()) }

//go:wasmexport juggle_files
func juggleFiles(_ int32) int32 { return tell(juggle()) }

//go:wasmexport try_to_escape
func tryToEscape(_ int32) int32 { return tell(escape()) }

//go:wasmexport write_and_crash
func writeAndCrash(rid int32) int32 {
	if err := os.WriteFile("/data/half", []byte("x"), 0o666); err != nil {
		return -1
	}
	return []int32{}[rid]
}

//go:wasmexport list_data
func listData(_ int32) int32 { return tell(names("/data")) }

func main() {}
