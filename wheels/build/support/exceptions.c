/*
 * The base's C++ library was built without exceptions, which WebAssembly has
 * only where the engine implements them. Code that was compiled with them can
 * be linked all the same: a throw, and what would only run after one, aborts.
 */
void abort(void);

void *__cxa_allocate_exception(unsigned long size) {
  (void)size;
  abort();
  return 0;
}

void __cxa_free_exception(void *exception) { (void)exception; }

void *__cxa_init_primary_exception(void *object, void *type, void *destructor) {
  (void)type;
  (void)destructor;
  return object;
}

void __cxa_throw(void *exception, void *type, void *destructor) {
  (void)exception;
  (void)type;
  (void)destructor;
  abort();
}

void __cxa_rethrow(void) { abort(); }

void *__cxa_begin_catch(void *exception) {
  (void)exception;
  abort();
  return 0;
}

void __cxa_end_catch(void) { abort(); }

void *__cxa_get_exception_ptr(void *exception) { return exception; }

void __cxa_call_terminate(void *exception) {
  (void)exception;
  abort();
}

void __cxa_call_unexpected(void *exception) {
  (void)exception;
  abort();
}

void _Unwind_Resume(void *exception) {
  (void)exception;
  abort();
}

int __gxx_personality_v0(void) {
  abort();
  return 0;
}

int __gxx_personality_wasm0(void) {
  abort();
  return 0;
}
