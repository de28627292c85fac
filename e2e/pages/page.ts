/** The page under test: gives the tests the package as an application has it. */
import * as rootcellar from 'rootcellar';

declare global {
  interface Window {
    rootcellar: typeof rootcellar;
    store: rootcellar.Store;
    /** What a promise of a store came to: its value, or the name and code of its error. */
    outcome(promise: PromiseLike<unknown>): Promise<unknown>;
  }
}

window.rootcellar = rootcellar;
window.outcome = async (promise) => {
  try {
    return await promise;
  } catch (error) {
    const { name, code, message } = error as rootcellar.StoreError;
    return { name, code, message, isStoreError: error instanceof rootcellar.StoreError };
  }
};
document.title = 'ready';
