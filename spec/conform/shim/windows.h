/* As much of windows.h as examples/conform-device.c needs, so that any C compiler can build it: its side of the protocol is tried everywhere.
   The heap behind it (shim.c) is small and has habits of its own. Pointers lie below 4 GB, as on CE. */
#ifndef SHIM_WINDOWS_H
#define SHIM_WINDOWS_H
#include <stddef.h>
#include <stdint.h>

typedef uint32_t DWORD;
typedef uint32_t ULONG;
typedef int32_t LONG;
typedef int32_t HRESULT;
typedef uintptr_t ULONG_PTR;
typedef int BOOL;
typedef wchar_t WCHAR;
typedef void *HANDLE;
typedef void *HMODULE;
typedef void *LPVOID;
typedef void (*FARPROC)(void);
typedef struct { uint32_t Data1; uint16_t Data2, Data3; uint8_t Data4[8]; } GUID;

#define WINAPI
#define TRUE 1
#define FALSE 0
#define INFINITE 0xFFFFFFFFu
#define WAIT_OBJECT_0 0u

DWORD GetLastError(void);
void SetLastError(DWORD code);
HMODULE GetModuleHandleW(const WCHAR *name);
HMODULE LoadLibraryW(const WCHAR *name);
FARPROC GetProcAddress(HMODULE module, const char *name);
HANDLE CreateEventW(void *security, BOOL manual, BOOL set, const WCHAR *name);
BOOL SetEvent(HANDLE event);
DWORD WaitForSingleObject(HANDLE event, DWORD milliseconds);
HANDLE CreateThread(void *security, size_t stack, DWORD (*start)(LPVOID), LPVOID argument, DWORD flags, DWORD *id);
#endif
