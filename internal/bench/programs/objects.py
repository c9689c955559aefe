# Classes, attributes and method calls: tasks that pass packets on.
class Packet:
    __slots__ = ("hops", "value")

    def __init__(self, value):
        self.hops, self.value = 0, value


class Task:
    def __init__(self, name):
        self.name, self.queue, self.next, self.handled = name, [], None, 0

    def receive(self, packet):
        self.queue.append(packet)

    def transform(self, value):
        raise NotImplementedError

    def run(self):
        while self.queue:
            packet = self.queue.pop()
            packet.value = self.transform(packet.value)
            packet.hops += 1
            self.handled += 1
            if packet.hops < 60:
                self.next.receive(packet)


class Adder(Task):
    def transform(self, value):
        return value + 3


class Mixer(Task):
    def transform(self, value):
        return self.fold(value * 5 % 1009)

    @staticmethod
    def fold(value):
        return value if value < 512 else value - 511


tasks = [kind(f"{kind.__name__} {n}") for n in range(3) for kind in (Adder, Mixer)]
for task, following in zip(tasks, tasks[1:] + tasks[:1]):
    task.next = following
packets = [Packet(n) for n in range(1500)]
for packet in packets:
    tasks[packet.value % 6].receive(packet)
while any(task.queue for task in tasks):
    for task in tasks:
        task.run()
print(sum(packet.value for packet in packets), sum(task.handled for task in tasks))
