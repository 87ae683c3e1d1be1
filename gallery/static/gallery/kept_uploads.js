// What is to be uploaded, kept in the browser, so that a reload or another page goes on with it.

const VERSION = 1;

/** The place of one person's uploads; in memory alone where the browser keeps nothing. */
export async function openKeptUploads(owner) {
  try {
    return new KeptUploads(await opened(`gallery-uploads-${owner}`));
  } catch {
    return new UploadsInMemory();
  }
}

function opened(name) {
  return new Promise((resolve, reject) => {
    const opening = indexedDB.open(name, VERSION);
    opening.onupgradeneeded = () => {
      opening.result.createObjectStore("items", { keyPath: "id", autoIncrement: true });
      opening.result.createObjectStore("files");
    };
    opening.onsuccess = () => resolve(opening.result);
    opening.onerror = () => reject(opening.error);
  });
}

const answered = (asked) =>
  new Promise((resolve, reject) => {
    asked.onsuccess = () => resolve(asked.result);
    asked.onerror = () => reject(asked.error);
  });

class KeptUploads {
  keepsFiles = true;

  constructor(database) {
    this.database = database;
  }

  #store(name, mode = "readonly") {
    return this.database.transaction(name, mode).objectStore(name);
  }

  all() {
    return answered(this.#store("items").getAll());
  }

  /** Gives each item its id. */
  async add(items) {
    const store = this.#store("items", "readwrite");
    const ids = await Promise.all(items.map((item) => answered(store.add(item))));
    items.forEach((item, index) => Object.assign(item, { id: ids[index] }));
  }

  /** Resolves when the change outlives the page. */
  change(item) {
    const transaction = this.database.transaction("items", "readwrite");
    transaction.objectStore("items").put(item);
    return new Promise((resolve) => {
      transaction.oncomplete = transaction.onabort = resolve;
    });
  }

  /** Keeps a file and says so in its item, both or neither. */
  keepFile(item, file) {
    const transaction = this.database.transaction(["items", "files"], "readwrite");
    transaction.objectStore("files").put(file, item.id);
    transaction.objectStore("items").put({ ...item, kept: true });
    return new Promise((resolve, reject) => {
      transaction.oncomplete = resolve;
      transaction.onabort = () => reject(transaction.error);
    });
  }

  /** What another page may have made of an item, and its file, as they are at one moment. */
  async itemAndFile(id) {
    const transaction = this.database.transaction(["items", "files"]);
    const both = ["items", "files"].map((name) => answered(transaction.objectStore(name).get(id)));
    const [item, file] = await Promise.all(both);
    return { item, file };
  }

  /** Keeps an item that has ended and gives up its file, both or neither. */
  end(item) {
    const transaction = this.database.transaction(["items", "files"], "readwrite");
    transaction.objectStore("items").put(item);
    transaction.objectStore("files").delete(item.id);
  }

  async remove(ids) {
    const transaction = this.database.transaction(["items", "files"], "readwrite");
    for (const name of ["items", "files"]) {
      for (const id of ids) transaction.objectStore(name).delete(id);
    }
    await new Promise((resolve) => {
      transaction.oncomplete = transaction.onabort = resolve;
    });
  }
}

class UploadsInMemory {
  keepsFiles = false;
  #last = 0;

  async all() {
    return [];
  }

  async add(items) {
    for (const item of items) item.id = this.#last += 1;
  }

  async change() {}

  async itemAndFile() {
    return {};
  }

  end() {}

  async remove() {}
}
