/*
 * Answers the calls of `ceheap conform` with the heap of the system that it runs on: a Windows CE device, Wine, or Windows.
 *
 *     ceheap conform "command:wine conform-device.exe"
 *
 * Each line on standard input is a call, each line on standard output what came of it: JSON Lines, as the head of src/conform/protocol.ts in
 * ceheap's sources tells. The end of standard input ends the program.
 *
 *     mingw, Wine    i686-w64-mingw32-gcc -O2 -o conform-device.exe conform-device.c
 *     Windows        cl /O2 conform-device.c
 *     CE             an application subproject in Platform Builder, or the SDK's compiler; entry point mainACRTStartup. A device's standard
 *                    input and output are its console: bring them here by telnet, by a serial line or by the debugger, behind a command
 *                    that passes lines on.
 *
 * It needs windows.h and the C library, nothing else: functions are looked up by name, so that one that the system lacks is told as missing. It
 * takes no memory from a heap while it answers. CeHeapCreate is not asked: its two callbacks are not the same on all versions. Build for 32 bits:
 * CE's pointers are. A program of 64 bits answers what fits (critical sections and structures with pointers in them are left out), and needs an
 * address space below 4 GB, on Windows by /LARGEADDRESSAWARE:NO; a larger pointer is told as such.
 */
#include <stdio.h>
#include <string.h>
#include <windows.h>

#define LONGEST_LINE (64 * 1024) /* a write of 16,384 bytes and what stands around it */
#define MOST_ARGS 6
#define MOST_OBJECTS 16

#if defined(_MSC_VER)
#define GUARD_BY_SEH
#elif defined(__GNUC__) && defined(_WIN32)
#define GUARD_BY_FILTER
#endif

/* ---- The call that is being answered ------------------------------------------------------------------------------------------------- */

static char line[LONGEST_LINE];
static char inputBuffer[4096];
static char outputBuffer[4096];

static char callName[64];
static unsigned long thread;
static int argCount;
static ULONG_PTR args[MOST_ARGS];
static const char *words[MOST_ARGS]; /* text in quotes, not ended by a zero */
static const char *argText;          /* as it came, for the echo */
static int argLength;
static char *hexDigits;
static unsigned long hexLength;

static ULONG_PTR result;
static ULONG_PTR outParameter;
static int hasOut;
static int isPointer; /* whether result has to fit into 32 bits */
static const char *complaint;
static DWORD lastErrors[3]; /* of thread 1 and 2: what this program calls in between leaves no trace */

/* ---- The functions that are looked up ------------------------------------------------------------------------------------------------ */

enum Kind { NUMBER, POINTER, NOTHING };

struct Function {
  const char *name;
  int args;
  enum Kind kind;
  FARPROC address;
};

static struct Function functions[] = {
  {"HeapCreate", 3, POINTER, 0},
  {"HeapDestroy", 1, NUMBER, 0},
  {"HeapAlloc", 3, POINTER, 0},
  {"HeapReAlloc", 4, POINTER, 0},
  {"HeapFree", 3, NUMBER, 0},
  {"HeapSize", 3, NUMBER, 0},
  {"HeapValidate", 3, NUMBER, 0},
  {"HeapCompact", 2, NUMBER, 0},
  {"GetProcessHeap", 0, POINTER, 0},
  {"LocalAlloc", 2, POINTER, 0},
  {"LocalReAlloc", 3, POINTER, 0},
  {"LocalFree", 1, POINTER, 0},
  {"LocalSize", 1, NUMBER, 0},
  {"LocalLock", 1, POINTER, 0},
  {"LocalUnlock", 1, NUMBER, 0},
  {"LocalHandle", 1, POINTER, 0},
  {"LocalFlags", 1, NUMBER, 0},
  {"GlobalAlloc", 2, POINTER, 0},
  {"GlobalReAlloc", 3, POINTER, 0},
  {"GlobalFree", 1, POINTER, 0},
  {"GlobalSize", 1, NUMBER, 0},
  {"GlobalLock", 1, POINTER, 0},
  {"GlobalUnlock", 1, NUMBER, 0},
  {"GlobalHandle", 1, POINTER, 0},
  {"GlobalFlags", 1, NUMBER, 0},
  {"VirtualAlloc", 4, POINTER, 0},
  {"VirtualFree", 3, NUMBER, 0},
  {"VirtualProtect", 4, NUMBER, 0},
  {"VirtualAllocEx", 5, POINTER, 0},
  {"VirtualFreeEx", 4, NUMBER, 0},
  {"CeVirtualSharedAlloc", 3, POINTER, 0},
#ifndef _WIN64
  {"VirtualQuery", 3, NUMBER, 0},
  {"GlobalMemoryStatus", 1, NOTHING, 0},
  {"GetSystemInfo", 1, NOTHING, 0},
  {"InitializeCriticalSection", 1, NOTHING, 0},
  {"EnterCriticalSection", 1, NOTHING, 0},
  {"TryEnterCriticalSection", 1, NUMBER, 0},
  {"LeaveCriticalSection", 1, NOTHING, 0},
  {"DeleteCriticalSection", 1, NOTHING, 0},
#endif
  {"CoTaskMemAlloc", 1, POINTER, 0},
  {"CoTaskMemRealloc", 2, POINTER, 0},
  {"CoTaskMemFree", 1, NOTHING, 0},
  {"CoRevokeMallocSpy", 0, NUMBER, 0},
  {0, 0, NOTHING, 0}
};

/* The methods of IMalloc by their place in its table of functions (IM-1). */
static const struct Method {
  const char *name;
  int place;
  int args;
  enum Kind kind;
} methods[] = {
  {"AddRef", 1, 0, NUMBER},   {"Release", 2, 0, NUMBER}, {"Alloc", 3, 1, POINTER},   {"Realloc", 4, 2, POINTER},
  {"Free", 5, 1, NOTHING},    {"GetSize", 6, 1, NUMBER}, {"DidAlloc", 7, 1, NUMBER}, {"HeapMinimize", 8, 0, NOTHING},
  {0, 0, 0, NOTHING}
};

static FARPROC getMalloc;
static FARPROC registerSpy;

static FARPROC lookUp(HMODULE module, const char *name)
{
#ifdef UNDER_CE
  WCHAR wide[64];
  int i = 0;
  do wide[i] = (WCHAR)name[i]; while (name[i++] != 0);
  return module == NULL ? NULL : (FARPROC)GetProcAddressW(module, wide);
#else
  return module == NULL ? NULL : GetProcAddress(module, name);
#endif
}

#ifdef UNDER_CE
/* Macros of CE's headers, which coredll does not export. */
static ULONG_PTR WINAPI localLock(HLOCAL memory) { return (ULONG_PTR)LocalLock(memory); }
static ULONG_PTR WINAPI localUnlock(HLOCAL memory) { (void)memory; return (ULONG_PTR)LocalUnlock(memory); }
static ULONG_PTR WINAPI localHandle(HLOCAL memory) { return (ULONG_PTR)LocalHandle(memory); }
static ULONG_PTR WINAPI localFlags(HLOCAL memory) { (void)memory; return (ULONG_PTR)LocalFlags(memory); }
static const struct { const char *name; FARPROC address; } macros[] = {
  {"LocalLock", (FARPROC)localLock}, {"LocalUnlock", (FARPROC)localUnlock}, {"LocalHandle", (FARPROC)localHandle},
  {"LocalFlags", (FARPROC)localFlags},
  /* GlobalAlloc and its relatives are those of Local* there (GA-1). */
  {"GlobalLock", (FARPROC)localLock}, {"GlobalUnlock", (FARPROC)localUnlock}, {"GlobalHandle", (FARPROC)localHandle},
  {"GlobalFlags", (FARPROC)localFlags}, {0, 0}
};
static const char *const renamed[] = {
  "GlobalAlloc", "LocalAlloc", "GlobalReAlloc", "LocalReAlloc", "GlobalFree", "LocalFree", "GlobalSize", "LocalSize", 0
};
#endif

static void findFunctions(void)
{
#ifdef UNDER_CE
  HMODULE core = GetModuleHandleW(L"coredll.dll");
#else
  HMODULE core = GetModuleHandleW(L"kernel32.dll");
#endif
  HMODULE com = LoadLibraryW(L"ole32.dll");
  struct Function *function;
  for (function = functions; function->name != 0; function++) {
    function->address = lookUp(core, function->name);
    if (function->address == NULL) function->address = lookUp(com, function->name);
#ifdef UNDER_CE
    {
      int i;
      for (i = 0; macros[i].name != 0; i++)
        if (function->address == NULL && strcmp(macros[i].name, function->name) == 0) function->address = macros[i].address;
      for (i = 0; renamed[i] != 0; i += 2)
        if (function->address == NULL && strcmp(renamed[i], function->name) == 0) function->address = lookUp(core, renamed[i + 1]);
    }
#endif
  }
  getMalloc = lookUp(com, "CoGetMalloc");
  registerSpy = lookUp(com, "CoRegisterMallocSpy");
}

typedef ULONG_PTR(WINAPI *Call0)(void);
typedef ULONG_PTR(WINAPI *Call1)(ULONG_PTR);
typedef ULONG_PTR(WINAPI *Call2)(ULONG_PTR, ULONG_PTR);
typedef ULONG_PTR(WINAPI *Call3)(ULONG_PTR, ULONG_PTR, ULONG_PTR);
typedef ULONG_PTR(WINAPI *Call4)(ULONG_PTR, ULONG_PTR, ULONG_PTR, ULONG_PTR);
typedef ULONG_PTR(WINAPI *Call5)(ULONG_PTR, ULONG_PTR, ULONG_PTR, ULONG_PTR, ULONG_PTR);
typedef void (*Untyped)(void);

static ULONG_PTR callWith(FARPROC address, int count, const ULONG_PTR *a)
{
  Untyped f = (Untyped)address;
  switch (count) {
    case 0: return ((Call0)f)();
    case 1: return ((Call1)f)(a[0]);
    case 2: return ((Call2)f)(a[0], a[1]);
    case 3: return ((Call3)f)(a[0], a[1], a[2]);
    case 4: return ((Call4)f)(a[0], a[1], a[2], a[3]);
    default: return ((Call5)f)(a[0], a[1], a[2], a[3], a[4]);
  }
}

/* ---- Interfaces are told by a number of our own -------------------------------------------------------------------------------------- */

static void *objects[MOST_OBJECTS];

static ULONG_PTR numberOf(void *object)
{
  int i;
  if (object == NULL) return 0;
  for (i = 0; i < MOST_OBJECTS; i++) {
    if (objects[i] == NULL) objects[i] = object;
    if (objects[i] == object) return (ULONG_PTR)i + 1;
  }
  return 0;
}

static void *objectOf(ULONG_PTR number)
{
  return number >= 1 && number <= MOST_OBJECTS ? objects[number - 1] : NULL;
}

/* ---- Spies: what the battery registers by CoRegisterMallocSpy (src/conform/casespy.ts) ------------------------------------------------ */

#define SPY_METHODS 15
#define MOST_SPIES 8
#define SPY_NUMBER 100
#define HEADER 16

enum SpyKind { PLAIN, HEADED, REFUSING, MORE, STRANGER, SPY_KINDS };
static const char *const spyKinds[SPY_KINDS] = {"plain", "header", "refuse", "more", "stranger"};
static const char *const spyMethods[SPY_METHODS] = {
  "QueryInterface", "AddRef", "Release", "PreAlloc", "PostAlloc", "PreFree", "PostFree", "PreRealloc", "PostRealloc",
  "PreGetSize", "PostGetSize", "PreDidAlloc", "PostDidAlloc", "PreHeapMinimize", "PostHeapMinimize"
};

typedef struct Spy {
  const Untyped *table;
  enum SpyKind kind;
  unsigned long counts[SPY_METHODS];
  ULONG_PTR last[SPY_METHODS][3];
} Spy;

/* As many as cases make between two starts; the oldest is used again. */
static Spy spies[MOST_SPIES];
static int spiesMade;

static void note(Spy *spy, int method, ULONG_PTR a, ULONG_PTR b, ULONG_PTR c)
{
  spy->counts[method]++;
  spy->last[method][0] = a;
  spy->last[method][1] = b;
  spy->last[method][2] = c;
}

static ULONG_PTR aheadOf(const Spy *spy, ULONG_PTR spied) { return spy->kind == HEADED && spied != 0 ? HEADER : 0; }

static ULONG_PTR requestOf(const Spy *spy, ULONG_PTR bytes)
{
  if (spy->kind == REFUSING) return 0;
  return bytes + (spy->kind == HEADED ? HEADER : spy->kind == MORE ? 100 : 0);
}

static const GUID spyId = {0x0000001D, 0, 0, {0xC0, 0, 0, 0, 0, 0, 0, 0x46}};

static HRESULT WINAPI spyQuery(Spy *spy, const GUID *id, void **object)
{
  note(spy, 0, 0, 0, 0);
  if (spy->kind == STRANGER || memcmp(id, &spyId, sizeof spyId) != 0) {
    *object = NULL;
    return (HRESULT)0x80004002L;
  }
  *object = spy;
  return 0;
}
static ULONG WINAPI spyAddRef(Spy *spy) { note(spy, 1, 0, 0, 0); return 2; }
static ULONG WINAPI spyRelease(Spy *spy) { note(spy, 2, 0, 0, 0); return 1; }
static ULONG_PTR WINAPI spyPreAlloc(Spy *spy, ULONG_PTR bytes) { note(spy, 3, bytes, 0, 0); return requestOf(spy, bytes); }
static ULONG_PTR WINAPI spyPostAlloc(Spy *spy, ULONG_PTR p) { note(spy, 4, p, 0, 0); return p == 0 ? 0 : p + aheadOf(spy, 1); }
static ULONG_PTR WINAPI spyPreFree(Spy *spy, ULONG_PTR p, int spied)
{
  note(spy, 5, p, (ULONG_PTR)spied, 0);
  return p == 0 ? 0 : p - aheadOf(spy, (ULONG_PTR)spied);
}
static void WINAPI spyPostFree(Spy *spy, int spied) { note(spy, 6, (ULONG_PTR)spied, 0, 0); }
static ULONG_PTR WINAPI spyPreRealloc(Spy *spy, ULONG_PTR p, ULONG_PTR bytes, ULONG_PTR *request, int spied)
{
  note(spy, 7, p, bytes, (ULONG_PTR)spied);
  *request = p == 0 ? 0 : p - aheadOf(spy, (ULONG_PTR)spied);
  return requestOf(spy, bytes);
}
static ULONG_PTR WINAPI spyPostRealloc(Spy *spy, ULONG_PTR p, int spied)
{
  note(spy, 8, p, (ULONG_PTR)spied, 0);
  return p == 0 ? 0 : p + aheadOf(spy, (ULONG_PTR)spied);
}
static ULONG_PTR WINAPI spyPreGetSize(Spy *spy, ULONG_PTR p, int spied)
{
  note(spy, 9, p, (ULONG_PTR)spied, 0);
  return p == 0 ? 0 : p - aheadOf(spy, (ULONG_PTR)spied);
}
static ULONG_PTR WINAPI spyPostGetSize(Spy *spy, ULONG_PTR bytes, int spied)
{
  note(spy, 10, bytes, (ULONG_PTR)spied, 0);
  return bytes - aheadOf(spy, (ULONG_PTR)spied);
}
static ULONG_PTR WINAPI spyPreDidAlloc(Spy *spy, ULONG_PTR p, int spied)
{
  note(spy, 11, p, (ULONG_PTR)spied, 0);
  return p == 0 ? 0 : p - aheadOf(spy, (ULONG_PTR)spied);
}
static int WINAPI spyPostDidAlloc(Spy *spy, ULONG_PTR p, int spied, int actual)
{
  note(spy, 12, p, (ULONG_PTR)spied, (ULONG_PTR)actual);
  return actual;
}
static void WINAPI spyPreMinimize(Spy *spy) { note(spy, 13, 0, 0, 0); }
static void WINAPI spyPostMinimize(Spy *spy) { note(spy, 14, 0, 0, 0); }

static const Untyped spyTable[SPY_METHODS] = {
  (Untyped)spyQuery, (Untyped)spyAddRef, (Untyped)spyRelease, (Untyped)spyPreAlloc, (Untyped)spyPostAlloc,
  (Untyped)spyPreFree, (Untyped)spyPostFree, (Untyped)spyPreRealloc, (Untyped)spyPostRealloc, (Untyped)spyPreGetSize,
  (Untyped)spyPostGetSize, (Untyped)spyPreDidAlloc, (Untyped)spyPostDidAlloc, (Untyped)spyPreMinimize, (Untyped)spyPostMinimize
};

static int wordIs(int at, const char *text)
{
  size_t length = strlen(text);
  return at < argCount && words[at] != NULL && strncmp(words[at], text, length) == 0 && words[at][length] == '"';
}

static Spy *spyOf(ULONG_PTR number)
{
  return number >= SPY_NUMBER && number < SPY_NUMBER + MOST_SPIES ? &spies[number - SPY_NUMBER] : NULL;
}

static ULONG_PTR newSpy(void)
{
  int place = spiesMade++ % MOST_SPIES;
  Spy *spy = &spies[place];
  int kind;
  memset(spy, 0, sizeof *spy);
  spy->table = spyTable;
  for (kind = 0; kind < SPY_KINDS; kind++) if (wordIs(0, spyKinds[kind])) spy->kind = (enum SpyKind)kind;
  return SPY_NUMBER + (ULONG_PTR)place;
}

static void askSpy(int wantsArgument)
{
  Spy *spy = spyOf(args[0]);
  int method;
  for (method = 0; method < SPY_METHODS; method++) {
    if (spy == NULL || !wordIs(1, spyMethods[method])) continue;
    result = wantsArgument ? (args[2] < 3 ? spy->last[method][args[2]] : 0) : spy->counts[method];
    return;
  }
  complaint = "has no such spy or method";
}

/* ---- Making the call ------------------------------------------------------------------------------------------------------------------ */

static int hexOf(char digit)
{
  if (digit >= '0' && digit <= '9') return digit - '0';
  if (digit >= 'a' && digit <= 'f') return digit - 'a' + 10;
  if (digit >= 'A' && digit <= 'F') return digit - 'A' + 10;
  return -1;
}

static const char *const iMallocIds[] = {"00000002-0000-0000-C000-000000000046", "0000000C-0000-0000-C000-000000000046", 0};

static void callMethod(const char *name)
{
  void *object = objectOf(args[0]);
  const Untyped *table;
  const struct Method *method;
  ULONG_PTR a[MOST_ARGS];
  if (object == NULL) {
    complaint = "was asked for a method of no interface";
    return;
  }
  table = *(const Untyped *const *)object;
  memcpy(a, args, sizeof a);
  a[0] = (ULONG_PTR)object;
  if (strcmp(name, "QueryInterface") == 0) {
    GUID id = {0x00000002, 0, 0, {0xC0, 0, 0, 0, 0, 0, 0, 0x46}};
    void *found = NULL;
    int at;
    for (at = 0; iMallocIds[at] != 0; at++) if (wordIs(1, iMallocIds[at])) break;
    if (at == 1) id.Data1 = 0x0000000C;
    a[1] = (ULONG_PTR)&id;
    a[2] = (ULONG_PTR)&found;
    result = callWith((FARPROC)table[0], 3, a);
    outParameter = numberOf(found);
    hasOut = 1;
    return;
  }
  for (method = methods; method->name != 0; method++) {
    if (strcmp(method->name, name) != 0) continue;
    result = callWith((FARPROC)table[method->place], method->args + 1, a);
    isPointer = method->kind == POINTER;
    if (method->kind == NOTHING) result = 0;
    return;
  }
  complaint = "has no such method";
}

static void readBytes(void)
{
  const volatile unsigned char *from = (const volatile unsigned char *)args[0];
  static const char digits[] = "0123456789abcdef";
  ULONG_PTR i;
  if (args[1] * 2 >= LONGEST_LINE) {
    complaint = "cannot answer that many bytes";
    return;
  }
  /* The digits stand in the line, which has been read: no other memory is needed. */
  for (i = 0; i < args[1]; i++) {
    unsigned char byte = from[i];
    line[i * 2] = digits[byte >> 4];
    line[i * 2 + 1] = digits[byte & 15];
  }
  line[args[1] * 2] = 0;
}

static void writeBytes(void)
{
  volatile unsigned char *to = (volatile unsigned char *)args[0];
  unsigned long i;
  for (i = 0; i + 1 < hexLength; i += 2) to[i / 2] = (unsigned char)(hexOf(hexDigits[i]) << 4 | hexOf(hexDigits[i + 1]));
}

static void perform(void)
{
  struct Function *function;
  if (strcmp(callName, "read") == 0) readBytes();
  else if (strcmp(callName, "write") == 0) writeBytes();
  else if (strcmp(callName, "touch") == 0) result = *(const volatile unsigned char *)args[0] * 0u;
  else if (strcmp(callName, "GetLastError") == 0) result = GetLastError();
  else if (strcmp(callName, "SetLastError") == 0) SetLastError((DWORD)args[0]);
  else if (strcmp(callName, "NewSpy") == 0) result = newSpy();
  else if (strcmp(callName, "SpyCount") == 0) askSpy(0);
  else if (strcmp(callName, "SpyArg") == 0) askSpy(1);
  else if (strncmp(callName, "IMalloc::", 9) == 0) callMethod(callName + 9);
  else if (strcmp(callName, "CoGetMalloc") == 0 && getMalloc != NULL) {
    void *found = NULL;
    args[1] = (ULONG_PTR)&found;
    result = callWith(getMalloc, 2, args);
    outParameter = numberOf(found);
    hasOut = 1;
  } else if (strcmp(callName, "CoRegisterMallocSpy") == 0 && registerSpy != NULL) {
    args[0] = (ULONG_PTR)spyOf(args[0]);
    result = callWith(registerSpy, 1, args);
  } else {
    for (function = functions; function->name != 0; function++) {
      if (function->address == NULL || strcmp(function->name, callName) != 0) continue;
      result = callWith(function->address, function->args, args);
      isPointer = function->kind == POINTER;
      if (function->kind == NOTHING) result = 0;
      return;
    }
    complaint = "has no such function";
  }
}

/* ---- Exceptions: the code of one that ended the call, or 0 ---------------------------------------------------------------------------- */

#if defined(GUARD_BY_SEH)

static DWORD guarded(void)
{
  DWORD code = 0;
  __try {
    perform();
  } __except (code = GetExceptionCode(), EXCEPTION_EXECUTE_HANDLER) {
  }
  return code;
}

#elif defined(GUARD_BY_FILTER)

/* GCC has no __try. The filter comes last, after every handler of the system's own, and sends the thread back here. */
static void *resumeAt[5];
static volatile DWORD exceptionCode;
static volatile int inCall;

static void resume(void) { __builtin_longjmp(resumeAt, 1); }

static LONG WINAPI filter(EXCEPTION_POINTERS *exception)
{
  if (!inCall) return EXCEPTION_CONTINUE_SEARCH;
  exceptionCode = exception->ExceptionRecord->ExceptionCode;
  /* Where the system does not go on, there is only the way out from here. */
  if ((exception->ExceptionRecord->ExceptionFlags & EXCEPTION_NONCONTINUABLE) != 0) resume();
#if defined(__x86_64__)
  exception->ContextRecord->Rip = (ULONG_PTR)resume;
#elif defined(__i386__)
  exception->ContextRecord->Eip = (ULONG_PTR)resume;
#else
  return EXCEPTION_CONTINUE_SEARCH;
#endif
  return EXCEPTION_CONTINUE_EXECUTION;
}

static DWORD __attribute__((noinline)) guarded(void)
{
#ifdef __i386__
  /* The handlers that the call registered on its stack are gone with it. */
  static unsigned long handlers;
  __asm__ volatile("movl %%fs:0, %0" : "=r"(handlers));
#endif
  exceptionCode = 0;
  if (__builtin_setjmp(resumeAt) == 0) {
    inCall = 1;
    perform();
  } else {
#ifdef __i386__
    __asm__ volatile("movl %0, %%fs:0" : : "r"(handlers));
#endif
  }
  inCall = 0;
  return exceptionCode;
}

#else

static DWORD guarded(void)
{
  perform();
  return 0;
}

#endif

static DWORD raised;

static void answer(int by)
{
  result = 0;
  outParameter = 0;
  hasOut = 0;
  isPointer = 0;
  complaint = NULL;
  SetLastError(lastErrors[by]);
  raised = guarded();
  lastErrors[by] = GetLastError();
  if (raised != 0 && strcmp(callName, "touch") == 0) {
    result = raised;
    raised = 0;
  }
}

/* ---- The second thread ------------------------------------------------------------------------------------------------------------------ */

static HANDLE go;
static HANDLE done;

static DWORD WINAPI second(LPVOID nothing)
{
  (void)nothing;
  while (WaitForSingleObject(go, INFINITE) == WAIT_OBJECT_0) {
    answer(2);
    SetEvent(done);
  }
  return 0;
}

/* ---- Lines in and out -------------------------------------------------------------------------------------------------------------------- */

/* A line without its end; 0 where there is none any more. What does not fit is dropped, and -1 told. */
static int readLine(void)
{
  unsigned long length = 0;
  int sign = getc(stdin);
  if (sign == EOF) return 0;
  while (sign != EOF && sign != '\n') {
    if (length < LONGEST_LINE - 1) line[length] = (char)sign;
    length++;
    sign = getc(stdin);
  }
  line[length < LONGEST_LINE ? length : LONGEST_LINE - 1] = 0;
  return length < LONGEST_LINE ? 1 : -1;
}

/* What stands behind "name": in the line; NULL where it does not. The bytes of a write come last, so nothing that is looked for is in them. */
static char *field(const char *name)
{
  char quoted[24];
  char *found;
  sprintf(quoted, "\"%s\":", name);
  found = strstr(line, quoted);
  return found == NULL ? NULL : found + strlen(quoted);
}

static unsigned long numberAt(const char *text)
{
  unsigned long value = 0;
  while (*text >= '0' && *text <= '9') value = value * 10 + (unsigned long)(*text++ - '0');
  return value;
}

/* Takes the line apart; 0 where it is no call. */
static int parseCall(void)
{
  const char *name = field("call");
  const char *by = field("thread");
  char *list = field("args");
  int i;
  hexDigits = field("bytes");
  hexLength = 0;
  if (name == NULL || list == NULL || *name != '"' || *list != '[') return 0;
  for (i = 0, name++; i < (int)sizeof callName - 1 && *name != 0 && *name != '"'; i++) callName[i] = *name++;
  callName[i] = 0;
  thread = by == NULL ? 1 : numberAt(by);
  if (thread != 2) thread = 1;
  argText = list++;
  memset(args, 0, sizeof args);
  memset(words, 0, sizeof words);
  for (argCount = 0; *list != 0 && *list != ']' && argCount < MOST_ARGS; argCount++) {
    if (*list == '"') {
      words[argCount] = list + 1;
      do list++; while (*list != 0 && *list != '"');
    } else args[argCount] = numberAt(list);
    while (*list != 0 && *list != ',' && *list != ']') list++;
    if (*list == ',') list++;
  }
  while (*list != 0 && *list != ']') list++;
  argLength = (int)(list - argText);
  if (hexDigits != NULL && *hexDigits == '"') {
    hexDigits++;
    while (hexOf(hexDigits[hexLength]) >= 0) hexLength++;
  }
  return 1;
}

/* The echo is written before the call: the line is used for what `read` brings. */
static void beginAnswer(void)
{
  printf("{\"call\":\"%s\",\"thread\":%lu,\"args\":%.*s]", callName, thread, argLength, argText);
}

static void endAnswer(void)
{
  if (raised != 0) {
    if (strcmp(callName, "read") == 0 || strcmp(callName, "write") == 0) printf(",\"fault\":true}\n");
    else printf(",\"threw\":\"raised exception 0x%08lX\"}\n", (unsigned long)raised);
  } else if (complaint != NULL) printf(",\"threw\":\"%s\"}\n", complaint);
  else if (isPointer && result != (result & 0xFFFFFFFFu)) {
    printf(",\"threw\":\"answered a pointer above 4 GB: build conform-device.c for 32 bits\"}\n");
  } else {
    printf(",\"result\":%lu,\"lastError\":%lu", (unsigned long)(result & 0xFFFFFFFFu), (unsigned long)lastErrors[thread]);
    if (hasOut) printf(",\"out\":[%lu]", (unsigned long)outParameter);
    if (strcmp(callName, "read") == 0) printf(",\"bytes\":\"%s\"", line);
    printf("}\n");
  }
}

static void greet(void)
{
  const struct Function *function;
  const struct Method *method;
  printf("{\"ceheap\":\"conform\",\"version\":1,\"functions\":[\"read\",\"write\",\"GetLastError\",\"SetLastError\"");
#if defined(GUARD_BY_SEH) || defined(GUARD_BY_FILTER)
  printf(",\"touch\"");
#endif
  for (function = functions; function->name != 0; function++) if (function->address != NULL) printf(",\"%s\"", function->name);
  if (getMalloc != NULL) {
    printf(",\"CoGetMalloc\",\"IMalloc::QueryInterface\"");
    for (method = methods; method->name != 0; method++) printf(",\"IMalloc::%s\"", method->name);
  }
  if (registerSpy != NULL) printf(",\"CoRegisterMallocSpy\",\"NewSpy\",\"SpyCount\",\"SpyArg\"");
  printf("],\"threads\":2}\n");
}

int main(void)
{
  DWORD id;
  int read;
  setvbuf(stdin, inputBuffer, _IOFBF, sizeof inputBuffer);
  setvbuf(stdout, outputBuffer, _IOFBF, sizeof outputBuffer);
#ifdef GUARD_BY_FILTER
  SetUnhandledExceptionFilter(filter);
#endif
  findFunctions();
  go = CreateEventW(NULL, FALSE, FALSE, NULL);
  done = CreateEventW(NULL, FALSE, FALSE, NULL);
  if (go == NULL || done == NULL || CreateThread(NULL, 0, second, NULL, 0, &id) == NULL) {
    fprintf(stderr, "conform-device: cannot make a second thread\n");
    return 2;
  }
  while ((read = readLine()) != 0) {
    if (read < 0) printf("{\"threw\":\"got a line that is too long\"}\n");
    else if (field("ceheap") != NULL) greet();
    else if (!parseCall()) printf("{\"threw\":\"got a line that is no call\"}\n");
    else {
      beginAnswer();
      if (thread == 2) {
        SetEvent(go);
        WaitForSingleObject(done, INFINITE);
      } else answer(1);
      endAnswer();
    }
    fflush(stdout);
  }
  return 0;
}
