def predict(model, data):
    return data
