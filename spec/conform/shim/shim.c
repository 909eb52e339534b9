/* A system for conform-device.c to run on where there is no Windows: a heap that only goes upward, events and threads. It is the conversation
   that is tried with it, not the heap: HeapFree keeps everything, HeapSize tells what was asked for. */
#define _GNU_SOURCE
#include <pthread.h>
#include <string.h>
#include <sys/mman.h>
#include "windows.h"

#define ARENA (64u * 1024 * 1024)
#define HEAP ((ULONG_PTR)0x42000)

static _Thread_local DWORD lastError;
DWORD GetLastError(void) { return lastError; }
void SetLastError(DWORD code) { lastError = code; }

static ULONG_PTR arena;
static ULONG_PTR top;

static ULONG_PTR take(ULONG_PTR bytes)
{
  ULONG_PTR block = top + 32;
  if (arena == 0) {
    /* A hint alone: where it is not taken, the program tells that its pointers are too large. */
    void *at = mmap((void *)0x20000000, ARENA, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (at == MAP_FAILED) return 0;
    arena = (ULONG_PTR)at;
    block = arena + 32;
  }
  if (bytes > ARENA || block + bytes > arena + ARENA) {
    lastError = 8;
    return 0;
  }
  top = block + ((bytes + 31) & ~(ULONG_PTR)31);
  *(ULONG_PTR *)(block - 32) = bytes;
  return block;
}

static ULONG_PTR HeapCreate(ULONG_PTR options, ULONG_PTR initial, ULONG_PTR maximum)
{
  (void)options, (void)initial, (void)maximum;
  return HEAP;
}
static ULONG_PTR HeapAlloc(ULONG_PTR heap, ULONG_PTR flags, ULONG_PTR bytes)
{
  (void)flags;
  if (heap == HEAP) return take(bytes);
  lastError = 87;
  return 0;
}
static ULONG_PTR HeapFree(ULONG_PTR heap, ULONG_PTR flags, ULONG_PTR block)
{
  (void)heap, (void)flags;
  return block != 0;
}
/* What stands in the upper half of a register is not part of a DWORD. */
static ULONG_PTR HeapSize(ULONG_PTR heap, ULONG_PTR flags, ULONG_PTR block)
{
  (void)heap, (void)flags;
  return *(ULONG_PTR *)(block - 32) | (ULONG_PTR)0x7 << 40;
}
static ULONG_PTR LocalAlloc(ULONG_PTR flags, ULONG_PTR bytes) { return bytes == 0x7777 ? (ULONG_PTR)1 << 40 : HeapAlloc(HEAP, flags, bytes); }
static ULONG_PTR VirtualAllocEx(ULONG_PTR process, ULONG_PTR address, ULONG_PTR bytes, ULONG_PTR type, ULONG_PTR protection)
{
  return process + address + bytes + type + protection;
}

/* An IMalloc of one object, with its table in COM's order. */
static int32_t QueryInterface(void *self, const GUID *id, void **object)
{
  *object = id->Data1 == 2 ? self : NULL;
  return *object == NULL ? (int32_t)0x80004002 : 0;
}
static ULONG_PTR count(void *self) { return (void)self, 1; }
static ULONG_PTR Alloc(void *self, ULONG_PTR bytes) { return (void)self, take(bytes); }
static ULONG_PTR DidAlloc(void *self, ULONG_PTR block) { return (void)self, (ULONG_PTR)(block == 0 ? -1 : 1); }
static const FARPROC table[] = {
  (FARPROC)QueryInterface, (FARPROC)count, (FARPROC)count, (FARPROC)Alloc, (FARPROC)count, (FARPROC)count, (FARPROC)count, (FARPROC)DidAlloc,
  (FARPROC)count
};
static const FARPROC *theMalloc = table;
static int32_t CoGetMalloc(ULONG_PTR context, const FARPROC ***object)
{
  *object = context == 1 ? &theMalloc : NULL;
  return context == 1 ? 0 : (int32_t)0x80070057;
}

/* Calls every method of the spy once, as a system with a task allocator does. */
typedef ULONG_PTR (*Method)(void *, ULONG_PTR, ULONG_PTR, ULONG_PTR *, int);
static int32_t CoRegisterMallocSpy(FARPROC **spy)
{
  static const GUID id = {0x1D, 0, 0, {0xC0, 0, 0, 0, 0, 0, 0, 0x46}};
  void *found = NULL;
  if (spy == NULL || ((int32_t(*)(void *, const GUID *, void **))(*spy)[0])(spy, &id, &found) != 0) return (int32_t)0x80070057;
  ((Method)(*spy)[3])(spy, 123, 0, NULL, 0);
  ((Method)(*spy)[4])(spy, 0x1000, 0, NULL, 0);
  return 0;
}

static const struct { const char *name; FARPROC address; } exports[] = {
  {"HeapCreate", (FARPROC)HeapCreate}, {"HeapAlloc", (FARPROC)HeapAlloc}, {"HeapFree", (FARPROC)HeapFree}, {"HeapSize", (FARPROC)HeapSize},
  {"LocalAlloc", (FARPROC)LocalAlloc}, {"VirtualAllocEx", (FARPROC)VirtualAllocEx}, {"CoGetMalloc", (FARPROC)CoGetMalloc},
  {"CoRegisterMallocSpy", (FARPROC)CoRegisterMallocSpy}, {0, 0}
};

HMODULE GetModuleHandleW(const WCHAR *name) { return (HMODULE)name; }
HMODULE LoadLibraryW(const WCHAR *name) { return (HMODULE)name; }
FARPROC GetProcAddress(HMODULE module, const char *name)
{
  int i;
  (void)module;
  for (i = 0; exports[i].name != 0; i++) if (strcmp(exports[i].name, name) == 0) return exports[i].address;
  return NULL;
}

static struct Event { pthread_mutex_t mutex; pthread_cond_t changed; int set; } events[2];
static int eventsMade;

HANDLE CreateEventW(void *security, BOOL manual, BOOL set, const WCHAR *name)
{
  struct Event *event = &events[eventsMade++];
  (void)security, (void)manual, (void)name;
  pthread_mutex_init(&event->mutex, NULL);
  pthread_cond_init(&event->changed, NULL);
  event->set = set;
  return event;
}
BOOL SetEvent(HANDLE handle)
{
  struct Event *event = handle;
  pthread_mutex_lock(&event->mutex);
  event->set = 1;
  pthread_cond_signal(&event->changed);
  pthread_mutex_unlock(&event->mutex);
  return TRUE;
}
DWORD WaitForSingleObject(HANDLE handle, DWORD milliseconds)
{
  struct Event *event = handle;
  (void)milliseconds;
  pthread_mutex_lock(&event->mutex);
  while (!event->set) pthread_cond_wait(&event->changed, &event->mutex);
  event->set = 0;
  pthread_mutex_unlock(&event->mutex);
  return WAIT_OBJECT_0;
}

static DWORD (*startOf)(LPVOID);
static void *run(void *argument) { return startOf(argument), (void *)0; }
HANDLE CreateThread(void *security, size_t stack, DWORD (*start)(LPVOID), LPVOID argument, DWORD flags, DWORD *id)
{
  static pthread_t made;
  (void)security, (void)stack, (void)flags;
  startOf = start;
  *id = 2;
  return pthread_create(&made, NULL, run, argument) == 0 ? (HANDLE)&made : NULL;
}
