SALUTE = "Hello"
