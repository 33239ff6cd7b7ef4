def train(data, trees):
    return data


def predict(model, data):
    return data


def tidy(data):
    return data


def notify(message):
    return None
